// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes, utf8 } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { DiskError } from '../error.ts';
import { LUKS2_BINARY_BYTES, LUKS2_CHECKSUM_BYTES, LUKS2_CHECKSUM_OFFSET, luks2Header } from './header.ts';
import { type Luks2Metadata, type Luks2Token, requireMetadata } from './metadata.ts';
import { checksumOf, type Luks2 } from './read.ts';

/** Octets that go to a place of the device. */
export interface Luks2Write {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Random octets for each of the two copies. */
const SALT_BYTES = 64;
/** Tokens that cryptsetup takes: 0 to 31. */
const MAX_TOKENS = 32;

/**
 * The lowest token number that is free.
 * @throws {DiskError} 'limit' when all 32 are taken.
 */
export function freeTokenNumber({ tokens }: Luks2Metadata): number {
  for (let number = 0; number < MAX_TOKENS; number++) if (tokens[String(number)] === undefined) return number;
  throw new DiskError(
    'limit',
    `expected a free token of ${MAX_TOKENS}, found none; remove one with cryptsetup token remove`,
  );
}

/**
 * What to write, in this order and each flushed before the next, so that a token is there, another, or (undefined) gone.
 * An interruption leaves one whole copy: the old or the new. Everything else in the header stays as it is; the JSON text
 * is written anew, without spaces, as cryptsetup does. Sections 2.1 and 2.4.
 * @param salts 64 random octets for each copy.
 * @throws {DiskError} 'no_space' when the JSON area is too small; 'options_invalid' for a token that opens a key slot that
 * is not there; 'luks2_malformed'.
 */
export function changeToken(
  { header, metadata }: Luks2,
  number: number,
  token: Luks2Token | undefined,
  salts: readonly [Uint8Array, Uint8Array],
): Luks2Write[] {
  if (!Number.isInteger(number) || number < 0 || number >= MAX_TOKENS) {
    throw new DiskError('options_invalid', `expected a token number from 0 to ${MAX_TOKENS - 1}, found ${number}`);
  }
  const missing = token?.keyslots.find((slot) => !Object.hasOwn(metadata.keyslots, slot));
  if (missing !== undefined) {
    throw new DiskError(
      'options_invalid',
      `expected key slots that exist, found ${missing}; add it with cryptsetup luksAddKey`,
    );
  }
  const tokens = { ...metadata.tokens };
  if (token === undefined) delete tokens[String(number)];
  else tokens[String(number)] = token;
  const changed = requireMetadata({ ...metadata, tokens }, 'the changed header');
  const size = Number(header.hdrSize);
  const text = utf8(JSON.stringify(changed));
  // A zero ends the text.
  if (text.length >= size - LUKS2_BINARY_BYTES) {
    throw new DiskError(
      'no_space',
      `expected at most ${size - LUKS2_BINARY_BYTES - 1} octets of JSON, found ${text.length}`,
    );
  }
  const area = new Uint8Array(size - LUKS2_BINARY_BYTES);
  area.set(text);
  return ['LUKS', 'SKUL'].map((name, copy) => {
    const salt = salts[copy];
    if (salt?.length !== SALT_BYTES) throw new RangeError(`expected ${SALT_BYTES} octets of salt`);
    const offset = copy * size;
    const binary = encode(luks2Header, {
      ...header,
      magic: Uint8Array.from([...ascii(name), 0xba, 0xbe]),
      seqid: header.seqid + 1n,
      salt,
      hdrOffset: BigInt(offset),
      csum: new Uint8Array(LUKS2_CHECKSUM_BYTES),
    });
    const sum = checksumOf(header.csumAlg, binary, area);
    if (sum === undefined) throw new DiskError('luks2_malformed', `expected a known digest, found ${header.csumAlg}`);
    binary.set(sum, LUKS2_CHECKSUM_OFFSET);
    return { offset, bytes: concatBytes(binary, area) };
  });
}
