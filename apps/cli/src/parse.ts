// SPDX-License-Identifier: Apache-2.0
// What options and arguments may hold. A refusal is a usage error that names the option.
import { readFileSync } from 'node:fs';
import { HexError, parseHex } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';
import { InvalidArgumentError } from 'commander';

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

const MAX_SMALL_FILE_BYTES = 8 * 1024 * 1024;

/**
 * A small file that is read whole: a signature, a root hash; - is standard input.
 * @throws {BytesError} what the host refuses; 'out_of_range' when it is too large to be what it should be.
 */
export function readSmallFile(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path === '-' ? 0 : path);
  } catch (cause) {
    throw hostError(path, cause);
  }
  if (bytes.length > MAX_SMALL_FILE_BYTES)
    throw new BytesError('out_of_range', `${path}: too large; is it the right file?`);
  return bytes;
}
