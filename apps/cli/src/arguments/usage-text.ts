// SPDX-License-Identifier: Apache-2.0
import type { CommandSpec, Operand } from './command.ts';
import type { Option } from './option.ts';

type Item = readonly [term: string, help: string];

const HELP: Item = ['-h, --help', 'show this usage'];
/** Beside the terms there have to be so many columns, or else explanations are not wrapped. */
const MIN_COLUMNS = 40;

/**
 * The usage of a command.
 * @param columns of the terminal.
 */
export function usageText(spec: CommandSpec, columns: number): string {
  const { words, operands, options, commands, description } = spec;
  const usage = [words, '[options]', ...operands.map(operandText), ...(commands.length > 0 ? ['[command]'] : [])];
  const sections: readonly (readonly [title: string, items: readonly Item[]])[] = [
    ['Arguments', operands.map(({ name, help }) => [name, help])],
    ['Options', [...options.map((option): Item => [option.flags, optionHelp(option)]), HELP]],
    ['Commands', commands],
  ];
  const width = Math.max(...sections.flatMap(([, items]) => items.map(([term]) => term.length)));
  return [
    `Usage: ${usage.join(' ')}\n`,
    `${wrapped(description, columns).join('\n')}\n`,
    ...sections
      .filter(([, items]) => items.length > 0)
      .map(([title, items]) => `${title}:\n${items.map((item) => itemText(item, width, columns)).join('')}`),
    spec.after.replace(/^\n/, ''),
  ].join('\n');
}

function operandText({ name, isRequired, isRepeated }: Operand): string {
  const text = `${name}${isRepeated ? '...' : ''}`;
  return isRequired ? `<${text}>` : `[${text}]`;
}

function optionHelp({ help, allowed, defaultText }: Option): string {
  const remarks = [
    ...(allowed === undefined ? [] : [`choices: ${allowed.map((value) => JSON.stringify(value)).join(', ')}`]),
    ...(defaultText === undefined ? [] : [`default: ${defaultText}`]),
  ];
  return remarks.length === 0 ? help : `${help} (${remarks.join(', ')})`;
}

function itemText([term, help]: Item, width: number, columns: number): string {
  const margin = 2 + width + 2;
  const [first = '', ...more] = columns - margin < MIN_COLUMNS ? [help] : wrapped(help, columns - margin);
  const lines = [`  ${term.padEnd(width)}  ${first}`, ...more.map((line) => ' '.repeat(margin) + line)];
  return lines.map((line) => `${line}\n`).join('');
}

/** Lines of at most so many columns, broken between words. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
