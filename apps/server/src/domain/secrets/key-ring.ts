// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex, utf8 } from '@vouchsafe/base';
import { decryptAesGcm, digest, encryptAesGcm } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { ServerError } from '../../error.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Keys of a ring: the one in use, and those of before until all is wrapped anew. */
const MAX_KEYS = 16;

/** A key that data keys are encrypted with; it never encrypts anything else. */
interface WrappingKey {
  /** Says which key it is and nothing of it: the start of a digest, hexadecimal. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Something encrypted at rest: under a data key of its own, which is encrypted under a key of the ring. */
export interface Envelope {
  /** Of the ring's key. */
  readonly keyId: string;
  /** A nonce, the data key encrypted, a tag. */
  readonly wrappedKey: Uint8Array;
  /** A nonce, the contents encrypted, a tag. */
  readonly box: Uint8Array;
}

/**
 * The keys under which secrets and the service's own keys lie in the database. What is sealed names what it is, so that no
 * row can be put in another's place.
 */
export interface KeyRing {
  /** Of the key that new envelopes are made with. */
  readonly currentId: string;
  seal(plain: Uint8Array, what: string): Envelope;
  /** @throws {ServerError} 'secret_key_wrong' without the key, or for an envelope that was changed or is something else's. */
  open(envelope: Envelope, what: string): Uint8Array;
  /** The same contents under the current key; the contents are not looked at. */
  rewrap(envelope: Envelope, what: string): Envelope;
}

/**
 * A ring from the text of a key file: one key a line, 64 hexadecimal digits, the one in use first; '#' begins a remark.
 * @throws {ServerError} 'configuration_invalid'; the message holds nothing of the file
 */
export function parseKeyRing(text: string, source: string): KeyRing {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  if (lines.length === 0 || lines.length > MAX_KEYS || lines.some((line) => !/^[0-9a-fA-F]{64}$/.test(line))) {
    const expected = `expected 1 to ${MAX_KEYS} lines of 64 hexadecimal digits, the key in use first`;
    throw new ServerError('configuration_invalid', `${source}: ${expected}; make one with: openssl rand -hex 32`);
  }
  return keyRingOf(lines.map(parseHex));
}

/** A key file with one new key. */
export const newKeyFile = (): string => `${toHex(randomBytes(KEY_BYTES))}\n`;

function keyRingOf(keys: readonly Uint8Array[]): KeyRing {
  const ring = keys.map((bytes): WrappingKey => ({ id: keyIdOf(bytes), bytes }));
  const [current] = ring;
  if (current === undefined) throw new ServerError('configuration_invalid', 'expected a key for secrets, found none');

  const wrap = (dataKey: Uint8Array, what: string): Pick<Envelope, 'keyId' | 'wrappedKey'> => ({
    keyId: current.id,
    wrappedKey: encrypt(current.bytes, dataKey, additional('key', what)),
  });
  const unwrap = ({ keyId, wrappedKey }: Envelope, what: string): Uint8Array => {
    const key = ring.find(({ id }) => id === keyId);
    if (key === undefined) throw wrong(what, `the key ${keyId} is not among those given (${ring.map(({ id }) => id)})`);
    return decrypt(key.bytes, wrappedKey, additional('key', what), what);
  };
  return {
    currentId: current.id,
    seal(plain, what) {
      const dataKey = randomBytes(KEY_BYTES);
      return { ...wrap(dataKey, what), box: encrypt(dataKey, plain, additional('contents', what)) };
    },
    open: (envelope, what) => decrypt(unwrap(envelope, what), envelope.box, additional('contents', what), what),
    rewrap: (envelope, what) => ({ ...wrap(unwrap(envelope, what), what), box: envelope.box }),
  };
}

const keyIdOf = (bytes: Uint8Array): string =>
  toHex(digest('sha256', concatBytes(utf8('vouchsafe wrapping key\0'), bytes)).subarray(0, 8));

const additional = (part: 'key' | 'contents', what: string): Uint8Array => utf8(`vouchsafe\0${part}\0${what}`);

function encrypt(key: Uint8Array, plain: Uint8Array, about: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  return concatBytes(nonce, encryptAesGcm(key, nonce, plain, about));
}

function decrypt(key: Uint8Array, sealed: Uint8Array, about: Uint8Array, what: string): Uint8Array {
  const plain =
    sealed.length <= NONCE_BYTES
      ? undefined
      : decryptAesGcm(key, sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES), about);
  if (plain === undefined) throw wrong(what, 'what is in the database is not what was sealed');
  return plain;
}

const wrong = (what: string, problem: string): ServerError =>
  new ServerError('secret_key_wrong', `${what}: ${problem}; give the key file that the service used before`);
