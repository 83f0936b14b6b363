// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { ManifestError } from '../error.ts';

/** A manifest is some levels deep; more would only wear out the stack. */
const MAX_DEPTH = 32;

/**
 * The one form in which a JSON value is signed: RFC 8785, for the values that manifests have: texts, whole numbers, true and
 * false, lists and objects. Names are sorted by UTF-16 code units (3.2.3), which is what comparing strings does.
 * @throws {ManifestError} 'manifest_malformed' for any other value, 'manifest_limit' for one nested too deep.
 */
export function canonicalJson(value: unknown): Uint8Array {
  return utf8(textOf(value, ''));
}

function textOf(value: unknown, path: string, depth = 0): string {
  if (depth > MAX_DEPTH) throw new ManifestError('manifest_limit', `expected at most ${MAX_DEPTH} levels`, { path });
  if (typeof value === 'string') return stringOf(value, path);
  if (typeof value === 'boolean') return String(value);
  // Fractions and large numbers have no form that all readers agree on.
  if (typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  if (Array.isArray(value)) return `[${value.map((item, i) => textOf(item, `${path}/${i}`, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${stringOf(name, path)}:${textOf(member, `${path}/${name}`, depth + 1)}`);
    return `{${members.join(',')}}`;
  }
  const message = `expected a text, whole number, boolean, list or object, found ${value === null ? 'null' : typeof value}`;
  throw new ManifestError('manifest_malformed', message, { path });
}

/** ECMAScript's own form is that of RFC 8785, 3.2.2.2, but for lone surrogates, which are no text. */
function stringOf(text: string, path: string): string {
  if (!text.isWellFormed()) {
    throw new ManifestError('manifest_malformed', 'expected text, found half of a character', { path });
  }
  return JSON.stringify(text);
}
