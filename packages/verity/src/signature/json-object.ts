// SPDX-License-Identifier: Apache-2.0
import { VerityError } from '../error.ts';

/** Objects and arrays inside one another; the format itself has one level. */
const MAX_DEPTH = 16;
const MAX_MEMBERS = 64;

/**
 * A JSON object (RFC 8259), refused when a name comes twice: JSON.parse takes the last of two, other readers the first, and
 * a signature would then be checked over another value than the one that is used.
 * @throws {VerityError} 'signature_malformed'.
 */
export function parseJsonObject(text: string, what: string): ReadonlyMap<string, unknown> {
  const written = countMembers(text, what);
  const value = parse(text, what);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new VerityError('signature_malformed', `${what}: expected a JSON object, found another value`);
  }
  const members = new Map(Object.entries(value));
  if (members.size !== written)
    throw new VerityError('signature_malformed', `${what}: expected each name once, found one twice`);
  return members;
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new VerityError('signature_malformed', `${what}: expected JSON: ${(cause as SyntaxError).message}`, {
      cause,
    });
  }
}

/**
 * How many members the outermost object has as written: in JSON a colon outside of strings stands only between a name and
 * its value. What is not JSON gives some number, and JSON.parse then says so.
 */
function countMembers(text: string, what: string): number {
  let depth = 0;
  let members = 0;
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (isString) {
      if (character === '\\') i++;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':' && depth === 1) members++;
    if (depth > MAX_DEPTH || members > MAX_MEMBERS) {
      const message = `${what}: expected at most ${MAX_DEPTH} levels and ${MAX_MEMBERS} names, found more`;
      throw new VerityError('signature_malformed', message);
    }
  }
  return members;
}
