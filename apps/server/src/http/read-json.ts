// SPDX-License-Identifier: Apache-2.0
import { isAscii } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { ServerError } from '../error.ts';

/** Smaller bodies cannot hold so much that it matters. */
const SMALL_BYTES = 64 * 1024;
/** Of the characters that begin or part something. Evidence has some hundreds, and its octets are in texts that have none. */
const MAX_PARTS = 32_768;

const PARTS = ['{', '[', ','].map((character) => character.charCodeAt(0));

/**
 * JSON and nothing else, and no large body of many small parts: 16 MiB of brackets take seconds to read and sixty times their
 * size in memory, before anybody can say what they are not.
 */
export function addJsonReader(app: FastifyInstance): void {
  const read = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const octets = body as Buffer;
    if (octets.length > SMALL_BYTES && countParts(octets) > MAX_PARTS) {
      done(new ServerError('request_malformed', `expected at most ${MAX_PARTS} parts in a body, found more`));
      return;
    }
    const text = octets.toString(isAscii(octets) ? 'latin1' : 'utf8');
    const value = mayNameMembers(octets) ? undefined : parsed(text);
    // Fastify's own reader looks closer, and says what is wrong.
    if (value === undefined) read(request, text, done);
    else done(null, value);
  });
}

/**
 * Whether there may be a member in it that Fastify's reader refuses, `__proto__` or `constructor`, by its name or in escapes.
 * Machines send neither, and to look for their names with regular expressions takes as long as to read the rest.
 */
const mayNameMembers = (octets: Buffer): boolean =>
  octets.includes(BACKSLASH) || octets.includes('"__proto__"') || octets.includes('"constructor"');

const BACKSLASH = 0x5c;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Wherever they are: one that counted only those outside texts would have to read them. Stops when there are too many. */
function countParts(octets: Buffer): number {
  let count = 0;
  for (const part of PARTS) {
    for (let at = octets.indexOf(part); at >= 0 && count <= MAX_PARTS; at = octets.indexOf(part, at + 1)) count++;
  }
  return count;
}
