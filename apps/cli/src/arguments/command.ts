// SPDX-License-Identifier: Apache-2.0
import { Option, type ReadValue } from './option.ts';

/** An argument that is not an option, as it is declared: '<DATA>', '[ROOT]' that may be left out, '<FILE...>' once or more. */
export interface Operand {
  readonly name: string;
  readonly help: string;
  readonly isRequired: boolean;
  readonly isRepeated: boolean;
}

/** What was declared of a command. */
export interface CommandSpec {
  /** As it is typed: 'vouchsafe verity format'. */
  readonly words: string;
  readonly description: string;
  readonly operands: readonly Operand[];
  readonly options: readonly Option[];
  /** Names of the commands under it, with their summaries. */
  readonly commands: readonly (readonly [name: string, summary: string])[];
  /** What the usage ends with. */
  readonly after: string;
}

/** What is called with an argument for each operand, and the options. */
type Action = (...args: never[]) => unknown;

/** Declares a command; the methods are called in the order of the usage. */
export class Command {
  readonly #words: string;
  readonly #operands: Operand[] = [];
  readonly #options: Option[] = [];
  readonly #commands: (readonly [name: string, summary: string])[] = [];
  #description = '';
  #after = '';
  #action: Action = () => undefined;

  constructor(words: string) {
    this.#words = words;
  }

  /** What the verb does, in a sentence. */
  description(text: string): this {
    this.#description = text;
    return this;
  }

  /** @throws {TypeError} for what is not declared as an Operand is. */
  argument(declaration: string, help: string): this {
    const isRequired = declaration.startsWith('<') && declaration.endsWith('>');
    const isOptional = declaration.startsWith('[') && declaration.endsWith(']');
    const inner = declaration.slice(1, -1);
    const isRepeated = inner.endsWith('...');
    const name = isRepeated ? inner.slice(0, -3) : inner;
    if (name === '' || !(isRequired || (isOptional && !isRepeated))) {
      throw new TypeError(`not the declaration of an argument: ${declaration}`);
    }
    this.#operands.push({ name, help, isRequired, isRepeated });
    return this;
  }

  /**
   * @param flags as an Option has them.
   * @param readOrDefault what makes the value of the text; or, for a value that is the text itself, the default.
   */
  option(flags: string, help: string, readOrDefault?: ReadValue | string, defaultValue?: unknown): this {
    const option = new Option(flags, help);
    if (typeof readOrDefault === 'function') option.argParser(readOrDefault);
    const value = typeof readOrDefault === 'function' ? defaultValue : readOrDefault;
    return this.addOption(value === undefined ? option : option.default(value));
  }

  /** An option that has to be given. */
  requiredOption(flags: string, help: string, read?: ReadValue): this {
    const option = new Option(flags, help);
    option.isRequired = true;
    if (read !== undefined) option.argParser(read);
    return this.addOption(option);
  }

  /** @throws {TypeError} when another option has one of its names. */
  addOption(option: Option): this {
    const taken = this.#options.flatMap(({ names }) => names).find((name) => option.names.includes(name));
    if (taken !== undefined) throw new TypeError(`declared twice: ${taken}`);
    this.#options.push(option);
    return this;
  }

  /** A command under this one, for the usage. */
  subcommand(name: string, summary: string): this {
    this.#commands.push([name, summary]);
    return this;
  }

  /** Text at the end of the usage: what else there is to know, and an example that works. */
  addHelpText(_place: 'after', text: string): this {
    this.#after += `${text}\n`;
    return this;
  }

  /**
   * What the command does: a function of the operands, in their order (undefined for one that was left out, an array for
   * one that is repeated), and of an object with the values of the options.
   */
  action(action: Action): this {
    this.#action = action;
    return this;
  }

  get spec(): CommandSpec {
    return {
      words: this.#words,
      description: this.#description,
      operands: this.#operands,
      options: this.#options,
      commands: this.#commands,
      after: this.#after,
    };
  }

  /** Calls the action. */
  async run(operands: readonly unknown[], options: Readonly<Record<string, unknown>>): Promise<void> {
    await (this.#action as (...args: unknown[]) => unknown)(...operands, options);
  }
}
