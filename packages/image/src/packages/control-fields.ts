// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../error.ts';

/** A paragraph of a control file; names in lower case. */
export type ControlFields = ReadonlyMap<string, string>;

const MAX_PARAGRAPHS = 1_000_000;

/**
 * The paragraphs of a control file: fields, continued in lines that begin with a blank, and empty lines between paragraphs.
 * Debian Policy 4.7, section 5.1; deb822(5).
 * @throws {ImageError} 'packages_malformed', 'limit'.
 */
export function* parseControl(text: string, label: string): Generator<ControlFields, void> {
  let fields = new Map<string, string>();
  let last: string | undefined;
  let count = 0;
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      if (++count > MAX_PARAGRAPHS) throw new ImageError('limit', `${label}: more than ${MAX_PARAGRAPHS} paragraphs`);
      fields = new Map();
      last = undefined;
      continue;
    }
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (last === undefined) throw malformed(label, i, 'expected a field before its continuation');
      fields.set(last, `${fields.get(last) ?? ''}\n${line.slice(1)}`);
      continue;
    }
    if (line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon < 1) throw malformed(label, i, 'expected a field, NAME: VALUE');
    last = line.slice(0, colon).toLowerCase();
    if (fields.has(last)) throw malformed(label, i, `expected the field ${line.slice(0, colon).slice(0, 80)} once`);
    fields.set(last, line.slice(colon + 1).trim());
  }
  if (fields.size > 0) yield fields;
}

function malformed(label: string, index: number, problem: string): ImageError {
  return new ImageError('packages_malformed', `${label}:${index + 1}: ${problem}`);
}
