// SPDX-License-Identifier: Apache-2.0

/** Makes the value of an option's text; `earlier` is what the option made before, when it is given again. */
export type ReadValue = (text: string, earlier: never) => unknown;

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
    const at = flags.indexOf(' <');
    const names = (at < 0 ? flags : flags.slice(0, at)).split(', ');
    const value = at < 0 ? undefined : flags.slice(at + 2, -1);
    if (!areNames(names) || (value !== undefined && !(isWord(value) && flags.endsWith('>')))) {
      throw new TypeError(`not the declaration of an option: ${flags}`);
    }
    const long = names.at(-1) as string;
    this.names = names;
    this.takesValue = value !== undefined;
    this.flags = flags;
    this.help = help;
    this.isNegation = long.startsWith(NEGATION);
    this.property = camelCase(long.slice(this.isNegation ? NEGATION.length : long.startsWith('--') ? 2 : 1));
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

// Without regular expressions: to compile one takes longer than to declare a verb.

/** '-o', '--output', or two of which the second is long. */
function areNames([first = '', second, ...more]: readonly string[]): boolean {
  const isLong = (name: string): boolean => name.startsWith('--') && name.length > 2 && name === name.toLowerCase();
  const isShort = (name: string): boolean => name.length === 2 && name !== '--' && name.startsWith('-');
  return (
    (isShort(first) || isLong(first)) &&
    isWord(first) &&
    (second === undefined || (isLong(second) && isWord(second) && more.length === 0))
  );
}

function isWord(text: string): boolean {
  return text !== '' && ![' ', '[', ']', '<', '>', '.'].some((character) => text.includes(character));
}

/** 'hash-offset' as 'hashOffset'. */
function camelCase(name: string): string {
  const [first = '', ...more] = name.split('-');
  return first + more.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
}
