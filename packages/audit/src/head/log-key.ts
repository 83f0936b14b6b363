// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex, utf8 } from '@vouchsafe/base';
import { digest, importPublicKey, type PublicKey } from '@vouchsafe/crypto';
import {
  decodeOctetBits,
  encodeBase64,
  encodeBitString,
  encodeOid,
  encodeSequence,
  OID,
  openDerSequence,
  PkiError,
  parseBase64,
  TAG,
} from '@vouchsafe/pki';
import { AuditError } from '../error.ts';

/** Ed25519 among the kinds of signatures. C2SP signed-note, Signature types. */
const ED25519_TYPE = 0x01;
const KEY_ID_BYTES = 4;
const KEY_BYTES = 32;

/** The key that a log signs its heads with. */
export interface LogKey {
  /** The log's name: no spaces, no plus sign. */
  readonly name: string;
  /** Four octets that stand before each signature. */
  readonly id: Uint8Array;
  readonly publicKey: PublicKey;
}

/**
 * The key of the log of that name. C2SP signed-note: the id is the start of SHA-256(name || 0x0a || type || key).
 * @param spki DER of SubjectPublicKeyInfo of an Ed25519 key
 * @throws {AuditError} 'audit_key_malformed'
 */
export function logKey(name: string, spki: Uint8Array): LogKey {
  if (!/^[\x21-\x2a\x2c-\x7e]{1,255}$/.test(name)) throw malformed('a name without spaces and plus signs');
  const publicKey = importPublicKey(spki);
  if (publicKey.algorithm.kind !== 'ed25519') throw malformed('an Ed25519 key');
  return { name, id: keyId(name, rawKey(spki)), publicKey };
}

/** The key as auditors are given it: 'NAME+ID+KEY'. C2SP signed-note, Verifier keys. */
export function formatLogKey({ name, id, publicKey }: LogKey): string {
  return `${name}+${toHex(id)}+${encodeBase64(concatBytes(Uint8Array.of(ED25519_TYPE), rawKey(publicKey.spki)))}`;
}

/** @throws {AuditError} 'audit_key_malformed' */
export function parseLogKey(text: string): LogKey {
  const [, name, id, encoded] = /^([^+\s]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,64})$/.exec(text.trim()) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) throw malformed("'NAME+ID+KEY'");
  const bytes = decoded(encoded);
  if (bytes.length !== 1 + KEY_BYTES || bytes[0] !== ED25519_TYPE) throw malformed('an Ed25519 key of 32 octets');
  const spki = encodeSequence(encodeSequence(encodeOid(OID.ed25519)), encodeBitString(bytes.subarray(1)));
  const key = logKey(name, spki);
  if (toHex(key.id) !== toHex(parseHex(id))) throw malformed('an id that is made of the name and the key');
  return key;
}

function decoded(text: string): Uint8Array {
  try {
    return parseBase64(text);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw malformed('base64 after the second plus sign', cause);
  }
}

function keyId(name: string, key: Uint8Array): Uint8Array {
  const input = concatBytes(utf8(name), Uint8Array.of(0x0a, ED25519_TYPE), key);
  return digest('sha256', input).subarray(0, KEY_ID_BYTES);
}

/** RFC 8410, 4: the BIT STRING holds the 32 octets. */
function rawKey(spki: Uint8Array): Uint8Array {
  const info = openDerSequence(spki, 'SubjectPublicKeyInfo');
  info.read('algorithm', TAG.sequence);
  return decodeOctetBits(info.read('subjectPublicKey', TAG.bitString));
}

const malformed = (expected: string, cause?: unknown): AuditError =>
  new AuditError('audit_key_malformed', `key of a log: expected ${expected}`, { cause });
