// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec, Operand } from './command.ts';
import { CommandLineError, unknownName } from './command-line-error.ts';
import { isInvalidArgument } from './invalid-argument-error.ts';
import type { Option } from './option.ts';

/** Arguments by their places. */
interface SplitArguments {
  readonly given: readonly { readonly option: Option; readonly text: string }[];
  readonly operands: readonly string[];
  /** What was not looked at: the first operand and all behind it, where reading stops there. */
  readonly rest: readonly string[];
  /** The first argument that does not fit; the usage can be asked for all the same. */
  readonly problem: CommandLineError | undefined;
}

/** What a command is called with. */
export interface ReadArguments {
  /** One for each that is declared. */
  readonly operands: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Shows the usage, wherever it stands. */
const HELP_NAMES: readonly string[] = ['-h', '--help'];

/**
 * Options and operands of a verb, in any order; behind -- there are operands only.
 * @returns 'help' when the usage is asked for, whatever is wrong with the rest.
 * @throws {CommandLineError}
 */
export function readArguments(spec: CommandSpec, args: readonly string[]): ReadArguments | 'help' {
  const split = splitArguments(spec, args, false);
  if (split === 'help') return 'help';
  if (split.problem !== undefined) throw split.problem;
  const options = optionValues(spec, split.given);
  return { options, operands: operandValues(spec, split.operands) };
}

/**
 * The options that stand before the first operand, the name of a command.
 * @returns what comes behind them as `rest`.
 * @throws {CommandLineError}
 */
export function readLeadingOptions(
  spec: CommandSpec,
  args: readonly string[],
): { readonly options: Readonly<Record<string, unknown>>; readonly rest: readonly string[] } | 'help' {
  const split = splitArguments(spec, args, true);
  if (split === 'help') return 'help';
  if (split.problem !== undefined) throw split.problem;
  return { options: optionValues(spec, split.given), rest: split.rest };
}

function splitArguments(spec: CommandSpec, args: readonly string[], stopsAtOperand: boolean): SplitArguments | 'help' {
  const given: { option: Option; text: string }[] = [];
  const operands: string[] = [];
  let problem: CommandLineError | undefined;
  const waiting = [...args];
  for (let arg = waiting.shift(); arg !== undefined; arg = waiting.shift()) {
    if (arg === '--') {
      operands.push(...waiting.splice(0));
    } else if (!arg.startsWith('-') || arg === '-') {
      if (stopsAtOperand) return { given, operands, rest: [arg, ...waiting], problem };
      operands.push(arg);
    } else if (HELP_NAMES.includes(arg)) {
      return 'help';
    } else {
      const { name, text, more } = nameAndText(spec, arg);
      const option = spec.options.find(({ names }) => names.includes(name));
      const value = option?.takesValue ? (text ?? waiting.shift()) : '';
      if (option === undefined) problem ??= unknownName('option', name, optionNames(spec));
      else if (text !== undefined && !option.takesValue)
        problem ??= new CommandLineError(`option '${name}' takes no value`);
      else if (value === undefined) problem ??= new CommandLineError(`option '${option.flags}' argument missing`);
      else given.push({ option, text: value });
      if (more !== undefined) waiting.unshift(more);
    }
  }
  return { given, operands, rest: [], problem };
}

const optionNames = ({ options }: CommandSpec): string[] => [
  ...options.flatMap(({ names }) => names).filter((name) => name.startsWith('--')),
  ...HELP_NAMES.slice(1),
];

/** '--salt=00' and '-s00' have their value with them; '-ab' is '-a -b' where -a takes none. */
function nameAndText(spec: CommandSpec, arg: string): { name: string; text?: string; more?: string } {
  if (arg.startsWith('--')) {
    const [, name = arg, text] = /^([^=]+)=([\s\S]*)$/.exec(arg) ?? [];
    return text === undefined ? { name } : { name, text };
  }
  const name = arg.slice(0, 2);
  if (arg.length === 2) return { name };
  const option = spec.options.find(({ names }) => names.includes(name));
  if (option === undefined) return { name: arg };
  return option.takesValue ? { name, text: arg.slice(2) } : { name, more: `-${arg.slice(2)}` };
}

function optionValues(spec: CommandSpec, given: SplitArguments['given']): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { option, text } of given) values[option.property] = optionValue(option, text, values[option.property]);
  for (const { option } of given) refuseConflicts(spec, option, values);
  for (const { property, defaultValue, isRequired, flags } of spec.options) {
    if (Object.hasOwn(values, property)) continue;
    if (isRequired) throw new CommandLineError(`required option '${flags}' not specified`);
    if (defaultValue !== undefined) values[property] = defaultValue;
  }
  return values;
}

function optionValue(option: Option, text: string, earlier: unknown): unknown {
  if (!option.takesValue) return !option.isNegation;
  if (option.allowed !== undefined && !option.allowed.includes(text)) {
    throw invalidValue(option, text, `Allowed choices are ${option.allowed.join(', ')}.`);
  }
  if (option.read === undefined) return text;
  try {
    return option.read(text, earlier as never);
  } catch (error) {
    if (isInvalidArgument(error)) throw invalidValue(option, text, error.message);
    throw error;
  }
}

function invalidValue({ flags }: Option, text: string, why: string): CommandLineError {
  return new CommandLineError(`option '${flags}' argument '${text}' is invalid. ${why}`);
}

function refuseConflicts(spec: CommandSpec, option: Option, values: Readonly<Record<string, unknown>>): void {
  const property = option.conflicting.find((name) => Object.hasOwn(values, name));
  if (property === undefined) return;
  const other = spec.options.find((one) => one.property === property);
  throw new CommandLineError(`option '${option.flags}' cannot be used with option '${other?.flags}'`);
}

function operandValues({ words, operands: declared }: CommandSpec, found: readonly string[]): unknown[] {
  const isOpen = declared.at(-1)?.isRepeated ?? false;
  const missing = declared.find(({ isRequired }, i) => isRequired && i >= found.length);
  if (missing !== undefined) throw new CommandLineError(`missing required argument '${missing.name}'`);
  if (found.length > declared.length && !isOpen) {
    const verb = words.slice(words.lastIndexOf(' ') + 1);
    const expected = declared.length === 1 ? '1 argument' : `${declared.length} arguments`;
    throw new CommandLineError(
      `too many arguments for '${verb}'. Expected ${expected} but got ${found.length}: ${found.join(', ')}.`,
    );
  }
  return declared.map((operand: Operand, i) => (operand.isRepeated ? found.slice(i) : found[i]));
}
