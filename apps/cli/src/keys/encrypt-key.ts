// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { randomBytes } from '@vouchsafe/crypto/signing';
import {
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  formatPem,
  parsePem,
} from '@vouchsafe/pki';
import { UsageError } from '../usage-error.ts';

/** OWASP's figure of 2023 for PBKDF2 with HMAC-SHA-256: about a fifth of a second for whoever knows the pass phrase. */
const ITERATIONS = 600_000;
const SALT_BYTES = 16;
const IV_BYTES = 16;

/** RFC 8018, appendices A.4, A.2, B.1.2 and B.2.5; NIST CSOR. */
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const HMAC_SHA256 = '1.2.840.113549.2.9';
const AES256_CBC = '2.16.840.1.101.3.4.1.42';

/**
 * A private key in PEM, under a pass phrase: EncryptedPrivateKeyInfo (RFC 5958, 3) by PBES2 with PBKDF2, HMAC-SHA-256 and
 * AES-256-CBC, which OpenSSL and all that is built on it open.
 * @param privateKeyPem PKCS #8, not encrypted.
 * @throws {UsageError} for an empty pass phrase.
 */
export async function encryptKey(privateKeyPem: string, passphrase: string): Promise<string> {
  if (passphrase === '') throw new UsageError('expected a pass phrase in the file, found none');
  const [block] = parsePem(privateKeyPem, 'PRIVATE KEY');
  if (block === undefined) throw new UsageError('expected a private key to encrypt, found none');
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const encrypted = await encryptAes(block.bytes, await deriveKey(passphrase, salt), iv);
  const derivation = encodeSequence(
    encodeOid(PBKDF2),
    encodeSequence(
      encodeOctetString(salt),
      encodeInteger(BigInt(ITERATIONS)),
      encodeSequence(encodeOid(HMAC_SHA256), encodeNull()),
    ),
  );
  const cipher = encodeSequence(encodeOid(AES256_CBC), encodeOctetString(iv));
  const algorithm = encodeSequence(encodeOid(PBES2), encodeSequence(derivation, cipher));
  return formatPem('ENCRYPTED PRIVATE KEY', encodeSequence(algorithm, encodeOctetString(encrypted)));
}

const { subtle } = globalThis.crypto;

type DerivedKey = Awaited<ReturnType<typeof subtle.deriveKey>>;

async function deriveKey(passphrase: string, salt: Uint8Array): Promise<DerivedKey> {
  const secret = await subtle.importKey('raw', buffer(utf8(passphrase)), 'PBKDF2', false, ['deriveKey']);
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: buffer(salt), iterations: ITERATIONS };
  return subtle.deriveKey(parameters, secret, { name: 'AES-CBC', length: 256 }, false, ['encrypt']);
}

/** Padded as RFC 5652, 6.3, says, which PBES2 asks for and Web Cryptography does. */
async function encryptAes(content: Uint8Array, key: DerivedKey, iv: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv: buffer(iv) }, key, buffer(content)));
}

/** A copy whose memory is no other thread's, as Web Cryptography wants. */
function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(concatBytes(bytes));
}
