// SPDX-License-Identifier: Apache-2.0

/** Makes the value of an option's text; `earlier` is what the option made before, when it is given again. */
export type ReadValue = (text: string, earlier: never) => unknown;

/** One or two names between commas, then the value's name where the option takes a value. */
const FLAGS = /^((?:-\w|--[a-z][a-z0-9-]*)(?:, --[a-z][a-z0-9-]*)?)(?: <([^<>.]+)>)?$/;
const NEGATION = '--no-';

/** An option as it is declared: '-o, --output <file>', '--force', or '--no-superblock', which is true when left out. */
export class Option {
  readonly flags: string;
  readonly help: string;
  /** As they are typed: '-o', '--output'. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly isNegation: boolean;
  /** The name of its value in the object that the verb gets: 'output', 'superblock'. */
  readonly property: string;
  isRequired = false;
  /** Value when the option is not given. */
  defaultValue: unknown;
  /** How the usage shows that value. */
  defaultText: string | undefined;
  allowed: readonly string[] | undefined;
  /** Properties of the options that it cannot stand beside. */
  conflicting: readonly string[] = [];
  read: ReadValue | undefined;

  /**
   * @param flags names and value, as the usage shows them.
   * @param help a line of the usage.
   * @throws {TypeError} for flags that are not declared as above.
   */
  constructor(flags: string, help: string) {
    const [, names, value] = FLAGS.exec(flags) ?? [];
    const long = names?.split(', ').at(-1);
    if (names === undefined || long === undefined) throw new TypeError(`not the declaration of an option: ${flags}`);
    this.flags = flags;
    this.help = help;
    this.names = names.split(', ');
    this.takesValue = value !== undefined;
    this.isNegation = long.startsWith(NEGATION);
    this.property = long
      .replace(this.isNegation ? NEGATION : /^--?/, '')
      .replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (this.isNegation) this.defaultValue = true;
  }

  /** @param text how the usage shows it, where that is not the value itself. */
  default(value: unknown, text = JSON.stringify(value)): this {
    this.defaultValue = value;
    this.defaultText = text;
    return this;
  }

  choices(values: readonly string[]): this {
    this.allowed = values;
    return this;
  }

  argParser(read: ReadValue): this {
    this.read = read;
    return this;
  }

  /** @param property of the other option. */
  conflicts(property: string): this {
    this.conflicting = [...this.conflicting, property];
    return this;
  }
}
