// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';
import { MAX_CONFIG_CHARACTERS, MAX_CONFIG_LINES } from '../limits.ts';

/** A line of a boot entry or of loader.conf: a key, blanks, a value. */
export interface ConfigLine {
  readonly key: string;
  /** Without blanks around it and quotes. */
  readonly value: string;
  /** From 1. */
  readonly line: number;
  /** Of the value, in characters, from 1. */
  readonly column: number;
}

/**
 * The lines of a boot entry or of loader.conf, empty ones and comments left out. UAPI.1 Boot Loader Specification, "Type #1
 * Boot Loader Specification Entries"; systemd, src/boot/util.c, line_get_key_value: blanks and tabs separate, a pair of
 * quotes around the value goes.
 * @throws {PeError} 'bls_malformed' with line and column for a key without value and for control characters, 'limit'.
 */
export function parseConfigLines(text: string): ConfigLine[] {
  if (text.length > MAX_CONFIG_CHARACTERS) {
    throw new PeError('limit', `expected at most ${MAX_CONFIG_CHARACTERS} characters, found ${text.length}`);
  }
  const rows = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/, MAX_CONFIG_LINES + 1);
  if (rows.length > MAX_CONFIG_LINES) {
    throw new PeError('limit', `expected at most ${MAX_CONFIG_LINES} lines, found more`);
  }
  return rows.flatMap((row, index) => parseLine(row, index + 1));
}

function parseLine(row: string, line: number): ConfigLine[] {
  const control = [...row].findIndex((character) => (character < ' ' && character !== '\t') || character === '\x7f');
  if (control >= 0) throw configError('expected text without control characters', line, control + 1);
  const start = row.length - row.trimStart().length;
  const content = row.trim();
  if (content === '' || content.startsWith('#')) return [];
  const gap = content.search(/[ \t]/);
  if (gap < 0) {
    throw configError(`expected a value after '${content.slice(0, 40)}'`, line, start + content.length + 1);
  }
  const rest = content.slice(gap);
  const value = rest.trimStart();
  const quoted = value.length >= 2 && (value[0] === '"' || value[0] === "'") && value.endsWith(value[0]);
  const column = start + gap + (rest.length - value.length) + 1;
  return [{ key: content.slice(0, gap), value: quoted ? value.slice(1, -1) : value, line, column }];
}

/**
 * One line. A value that would be read otherwise, as one with quotes around it, is refused.
 * @throws {PeError} 'options_invalid'.
 */
export function formatConfigLine(key: string, value: string): string {
  const line = `${key} ${value}`;
  const [read, ...more] = readBack(line);
  if (read?.key !== key || read.value !== value || more.length > 0) {
    const message = `expected a value of one line that keeps as it is, found '${value.slice(0, 80)}' for ${key.slice(0, 40)}`;
    throw new PeError('options_invalid', message);
  }
  return `${line}\n`;
}

function readBack(line: string): readonly ConfigLine[] {
  try {
    return parseConfigLines(line);
  } catch (error) {
    if (error instanceof PeError) return [];
    throw error;
  }
}

export function configError(message: string, line: number, column: number): PeError {
  return new PeError('bls_malformed', message, { line, column });
}
