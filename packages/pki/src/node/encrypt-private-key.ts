// SPDX-License-Identifier: Apache-2.0
import { CryptoError } from '@vouchsafe/crypto';
import { encryptWithPassphrase, randomBytes } from '@vouchsafe/crypto/signing';
import { encodeInteger, encodeNull, encodeOctetString, encodeOid, encodeSequence } from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { formatPem, parsePem } from '../pem.ts';

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
 * AES-256-CBC, which OpenSSL and all that is built on it open. Salt and start are random, so that each call gives others.
 * @param privateKeyPem PKCS #8, not encrypted.
 * @throws {PkiError} 'passphrase_wrong' for an empty pass phrase, 'key_invalid' without a key.
 */
export function encryptPrivateKey(privateKeyPem: string, passphrase: string): string {
  const [block] = parsePem(privateKeyPem, 'PRIVATE KEY');
  if (block === undefined) throw new PkiError('key_invalid', 'expected a private key to encrypt, found none');
  const encryption = { salt: randomBytes(SALT_BYTES), iv: randomBytes(IV_BYTES), iterations: ITERATIONS };
  const derivation = encodeSequence(
    encodeOid(PBKDF2),
    encodeSequence(
      encodeOctetString(encryption.salt),
      encodeInteger(BigInt(ITERATIONS)),
      encodeSequence(encodeOid(HMAC_SHA256), encodeNull()),
    ),
  );
  const cipher = encodeSequence(encodeOid(AES256_CBC), encodeOctetString(encryption.iv));
  const algorithm = encodeSequence(encodeOid(PBES2), encodeSequence(derivation, cipher));
  const encrypted = encryptOrExplain(block.bytes, passphrase, encryption);
  return formatPem('ENCRYPTED PRIVATE KEY', encodeSequence(algorithm, encodeOctetString(encrypted)));
}

function encryptOrExplain(...args: Parameters<typeof encryptWithPassphrase>): Uint8Array {
  try {
    return encryptWithPassphrase(...args);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new PkiError('passphrase_wrong', cause.message, { cause });
  }
}
