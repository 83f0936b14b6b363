// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes, parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { CodecError, decode, encode } from '@vouchsafe/codec';
import { decryptAesGcm, encryptAesGcm } from '@vouchsafe/crypto';
import { encodeBase64, PkiError } from '@vouchsafe/pki';
import { TpmError } from '../error.ts';
import type { PcrSelection } from '../pcr-selection.ts';
import type { RandomSource } from '../secret-sharing.ts';
import { TPM_HASH, type TpmHash } from '../structures/algorithm.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { tpm2bPrivate } from '../structures/sensitive.ts';
import { JsonFields, parseBase64Url } from './json-fields.ts';
import type { SealedObject } from './seal.ts';
import { publicIn } from './sealed-file.ts';

/**
 * What `clevis encrypt tpm2` writes: a JWE whose key is sealed, and how, in its header. Clevis 19,
 * src/pins/tpm2/clevis-encrypt-tpm2; RFC 7516 (compact serialization), RFC 7518, sections 4.5 and 5.3 (dir, A256GCM).
 */
export interface ClevisJwe {
  /** Opens to a JWK, see `clevisKey`. */
  readonly sealed: SealedObject;
  /** The header as it stands: what is authenticated. */
  readonly protectedText: string;
  readonly nonce: Uint8Array;
  /** Ciphertext and tag. */
  readonly encrypted: Uint8Array;
}

/** Characters of a JWE; it encrypts keys, and whatever else people pipe into clevis. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
const NONCE_BYTES = 12;
const HASHES = Object.keys(TPM_HASH) as TpmHash[];

/** @throws {TpmError} 'sealed_malformed' */
export function parseClevisJwe(text: string, label: string): ClevisJwe {
  const malformed = (expected: string, cause?: unknown): TpmError =>
    new TpmError('sealed_malformed', `${label}: expected ${expected}`, cause === undefined ? undefined : { cause });
  if (text.length > MAX_CHARACTERS) throw malformed(`a JWE of at most ${MAX_CHARACTERS} characters`);
  const parts = text.trim().split('.');
  const [protectedText, encryptedKey, nonce, ciphertext, tag] = parts;
  if (protectedText === undefined || nonce === undefined || ciphertext === undefined || tag === undefined) {
    throw malformed('a JWE of five parts between full stops, as clevis encrypt writes it');
  }
  if (parts.length !== 5 || encryptedKey !== '') throw malformed('a JWE of five parts, the second empty (dir)');
  const octets = (part: string, name: string): Uint8Array => {
    try {
      return parseBase64Url(part);
    } catch (cause) {
      if (cause instanceof PkiError) throw malformed(`base64 in the JWE's ${name}`, cause);
      throw cause;
    }
  };
  let json: string;
  try {
    json = parseUtf8(octets(protectedText, 'header'));
  } catch (cause) {
    if (cause instanceof TextError) throw malformed("UTF-8 in the JWE's header", cause);
    throw cause;
  }
  const header = JsonFields.parse(json, label);
  header.oneOf('alg', ['dir']);
  header.oneOf('enc', ['A256GCM']);
  const clevis = header.object('clevis');
  clevis.oneOf('pin', ['tpm2']);
  return {
    sealed: sealedIn(clevis.object('tpm2'), malformed),
    protectedText,
    nonce: octets(nonce, 'nonce'),
    encrypted: concatBytes(octets(ciphertext, 'ciphertext'), octets(tag, 'tag')),
  };
}

function sealedIn(tpm2: JsonFields, malformed: (expected: string, cause?: unknown) => TpmError): SealedObject {
  const hash = tpm2.oneOf('hash', HASHES);
  const key = tpm2.oneOf('key', ['ecc', 'rsa']);
  let wrapped: Uint8Array;
  try {
    wrapped = decode(tpm2bPrivate, tpm2.base64('jwk_priv', 'url'));
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw malformed('a TPM2B_PRIVATE as jwk_priv', cause);
  }
  const area = publicIn(tpm2, 'jwk_pub', 'url');
  const { nameAlg } = area.value;
  if (nameAlg === 'null') throw malformed('an object with a name as jwk_pub');
  const pcrs = tpm2.has('pcr_ids') ? [pcrSelectionIn(tpm2)] : undefined;
  return {
    area,
    private: wrapped,
    parent: { template: 'plain', key, hash },
    policy: { hash: nameAlg, ...(pcrs === undefined ? {} : { pcrs }), withPin: false },
  };
}

function pcrSelectionIn(tpm2: JsonFields): PcrSelection {
  const text = tpm2.string('pcr_ids');
  const pcrs = text.split(',').map((word) => (/^(1?[0-9]|2[0-3])$/.test(word) ? Number(word) : -1));
  if (pcrs.includes(-1)) throw tpm2.error('pcr_ids', 'PCRs from 0 to 23 between commas');
  return { bank: tpm2.oneOf('pcr_bank', HASHES), pcrs: [...new Set(pcrs)].toSorted((a, b) => a - b) };
}

/**
 * What the JWE encrypts.
 * @param jwk what its sealed object opened to: a JWK of kind 'oct' (RFC 7517).
 * @throws {TpmError} 'sealed_malformed' when it is not the key of this JWE.
 */
export function decryptClevisJwe(jwe: ClevisJwe, jwk: Uint8Array, label: string): Uint8Array {
  const key = keyIn(jwk, label);
  const plain =
    jwe.nonce.length === NONCE_BYTES
      ? decryptAesGcm(key, jwe.nonce, jwe.encrypted, ascii(jwe.protectedText))
      : undefined;
  if (plain === undefined)
    throw new TpmError('sealed_malformed', `${label}: the JWE was changed, or belongs to another key`);
  return plain;
}

function keyIn(jwk: Uint8Array, label: string): Uint8Array {
  try {
    const fields = JsonFields.parse(parseUtf8(jwk), `${label}: key`);
    const key = fields.base64('k', 'url');
    if (fields.oneOf('kty', ['oct']) === 'oct' && key.length === 32) return key;
  } catch (error) {
    if (!(error instanceof TextError || error instanceof TpmError)) throw error;
  }
  // Nothing of it is shown: it is a secret.
  throw new TpmError('sealed_malformed', `${label}: expected an AES key of 256 bits as a JWK inside the sealed object`);
}

/** A new content key, as Clevis seals it. */
export function newClevisKey(random: RandomSource): { readonly key: Uint8Array; readonly jwk: Uint8Array } {
  const key = random(32);
  const jwk = { alg: 'A256GCM', k: base64Url(key), key_ops: ['encrypt', 'decrypt'], kty: 'oct' };
  return { key, jwk: utf8(JSON.stringify(jwk)) };
}

/**
 * A JWE that `clevis decrypt` opens on the same TPM.
 * @param sealed the JWK of `key`, under a 'plain' parent, without PIN or signed PCRs, and one bank at most: Clevis has no
 * place for more.
 * @throws {TpmError} 'argument_invalid'
 */
export function encodeClevisJwe(
  sealed: SealedObject,
  key: Uint8Array,
  plain: Uint8Array,
  random: RandomSource,
): string {
  const { parent, policy } = sealed;
  const [pcrs, ...more] = policy.pcrs ?? [];
  if (policy.withPin || policy.signedPcrs !== undefined || more.length > 0 || parent.template !== 'plain') {
    throw new TpmError('argument_invalid', 'expected PCRs of one bank and nothing else: Clevis has no place for more');
  }
  const header = {
    alg: 'dir',
    clevis: {
      pin: 'tpm2',
      tpm2: {
        hash: parent.hash,
        jwk_priv: base64Url(encode(tpm2bPrivate, sealed.private)),
        jwk_pub: base64Url(encode(tpm2bPublic, sealed.area)),
        key: parent.key,
        ...(pcrs === undefined ? {} : { pcr_bank: pcrs.bank, pcr_ids: pcrs.pcrs.join(',') }),
      },
    },
    enc: 'A256GCM',
  };
  const protectedText = base64Url(utf8(JSON.stringify(header)));
  const nonce = random(NONCE_BYTES);
  const encrypted = encryptAesGcm(key, nonce, plain, ascii(protectedText));
  const split = encrypted.length - 16;
  return [
    protectedText,
    '',
    base64Url(nonce),
    base64Url(encrypted.subarray(0, split)),
    base64Url(encrypted.subarray(split)),
  ].join('.');
}

/** RFC 7515, section 2. */
function base64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
