// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

const MAX_CHARACTERS = 64 * 1024;
const MAX_FIELDS = 1000;

/**
 * The fields of an os-release or extension-release file: assignments as a shell reads them, without anything of a shell
 * beyond quotes and backslashes. os-release(5).
 * @param name of the file, for messages.
 * @returns by name; the last assignment of a name counts, as it does for a shell.
 * @throws {DiskError} 'release_malformed'.
 */
export function parseReleaseFile(text: string, name: string): ReadonlyMap<string, string> {
  const refuse = (line: number, problem: string): never => {
    throw new DiskError('release_malformed', `${name}, line ${line}: ${problem}`);
  };
  if (text.length > MAX_CHARACTERS) refuse(0, `expected at most ${MAX_CHARACTERS} characters, found ${text.length}`);
  const fields = new Map<string, string>();
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match === null) {
      refuse(i + 1, `expected NAME=VALUE, found ${JSON.stringify(line.slice(0, 100))}`);
      continue;
    }
    const value = unquote(match[2] as string);
    if (value === undefined) refuse(i + 1, `expected a value in whole quotes, found ${JSON.stringify(match[2])}`);
    else fields.set(match[1] as string, value);
    if (fields.size > MAX_FIELDS) refuse(i + 1, `expected at most ${MAX_FIELDS} fields`);
  }
  return fields;
}

/** Undefined for an open quote, a bare $ or `, or words behind each other: a shell would make something else of it. */
function unquote(text: string): string | undefined {
  let value = '';
  const pieces = text.matchAll(/'([^']*)'|"((?:[^"\\$`]|\\.)*)"|\\(.)|([^\s'"\\$`;&|<>()]+)|(.)/gsu);
  for (const [, single, double, escaped, plain, other] of pieces) {
    if (other !== undefined) return undefined;
    value += single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '';
  }
  return value;
}

/** A file of these fields, in their order; values are quoted where a shell needs it. @throws {DiskError} 'release_malformed'. */
export function formatReleaseFile(fields: Iterable<readonly [name: string, value: string]>): string {
  let text = '';
  for (const [name, value] of fields) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || /[\n\0]/.test(value)) {
      throw new DiskError('release_malformed', `expected a field of one line, found ${JSON.stringify([name, value])}`);
    }
    text += `${name}=${/^[A-Za-z0-9._-]*$/.test(value) ? value : `"${value.replace(/["\\$`]/g, '\\$&')}"`}\n`;
  }
  return text;
}
