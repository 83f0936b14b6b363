// SPDX-License-Identifier: Apache-2.0
// What options and arguments may hold. A refusal is a usage error that names the option.
import { closeSync, openSync, readSync } from 'node:fs';
import { concatBytes, HexError, parseHex, utf8 } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';
import { InvalidArgumentError } from './arguments/invalid-argument-error.ts';

/** A whole number from 0, decimal. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('Expected a whole number.');
  return value;
}

export function hexBytes(text: string): Uint8Array {
  try {
    return parseHex(text);
  } catch (error) {
    if (error instanceof HexError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

/** As veritysetup takes it: hexadecimal, or - for none. */
export function saltBytes(text: string): Uint8Array {
  return text === '-' ? new Uint8Array(0) : hexBytes(text);
}

/** A UUID in its text form; lower-case comes back. */
export function uuidText(text: string): string {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) {
    throw new InvalidArgumentError('Expected a UUID, as in 6e11a4e7-fbca-4ded-b9e9-e1a512bb664e.');
  }
  return text.toLowerCase();
}

const MIB = 1024 * 1024;
const MAX_SMALL_FILE_BYTES = 8 * MIB;

/**
 * A small file that is read whole: a signature, a root hash; - is standard input.
 * @param maxBytes whole MiB.
 * @throws {BytesError} what the host refuses; 'out_of_range' when it is too large to be what it should be.
 */
export function readSmallFile(path: string, maxBytes = MAX_SMALL_FILE_BYTES): Uint8Array {
  const bytes = onlyBeginning(path, maxBytes + 1);
  if (bytes.length > maxBytes) {
    throw new BytesError('out_of_range', `${path}: it has more than ${maxBytes / MIB} MiB; is it the right file?`);
  }
  return bytes;
}

const CHUNK_BYTES = 64 * 1024;

/** Up to `maxBytes` octets, so that a disk given by mistake is not read into memory. It may be a pipe, without a size. */
function onlyBeginning(path: string, maxBytes: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  try {
    const fd = path === '-' ? 0 : openSync(path, 'r');
    try {
      for (let size = 0; size < maxBytes; ) {
        const chunk = new Uint8Array(CHUNK_BYTES);
        const got = readSync(fd, chunk);
        if (got === 0) break;
        chunks.push(chunk.subarray(0, got));
        size += got;
      }
    } finally {
      if (fd !== 0) closeSync(fd);
    }
  } catch (cause) {
    throw hostError(path, cause);
  }
  return concatBytes(...chunks).subarray(0, maxBytes);
}

/** For options that may be given several times. */
export function collect<T>(value: T, earlier: readonly T[] = []): readonly T[] {
  return [...earlier, value];
}

/** Values between commas or white space; for options that may be given several times too. */
export function collectList(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, ...text.split(/[\s,]+/).filter((value) => value !== '')];
}

/** A time in milliseconds since 1970: whole seconds since then, or a date as 2026-01-31T12:00:00Z. */
export function timeMs(text: string): number {
  const value = /^[0-9]{1,12}$/.test(text) ? Number(text) * 1000 : dateMs(text);
  if (!Number.isSafeInteger(value) || value % 1000 !== 0) {
    throw new InvalidArgumentError('Expected seconds since 1970, or a time in UTC as 2026-01-31T12:00:00Z.');
  }
  return value;
}

function dateMs(text: string): number {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text) ? Date.parse(text) : Number.NaN;
}

/**
 * The words of a command line as a shell splits them: white space between, '…' and "…" around, \ before a character.
 * Nothing else of a shell is meant: no variables, no globs.
 */
export function commandWords(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [piece, single, double, escaped, plain] of text.matchAll(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)|\s+|['"\\]/g,
  )) {
    const part = single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain;
    if (part !== undefined) word = (word ?? '') + part;
    else if (/^['"\\]/.test(piece)) throw new InvalidArgumentError(`Expected an end of the ${piece} in the command.`);
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new InvalidArgumentError('Expected a command.');
  return words;
}

/** As ukify takes them: a text, or @ and the path of a file whose octets are taken as they are. */
export function textOrFile(text: string): Uint8Array {
  return text.startsWith('@') ? readSmallFile(text.slice(1)) : utf8(text);
}
