// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CryptoError } from '../error.ts';
import { importPublicKey } from '../node/public-key.ts';
import type { KeyAlgorithm, PublicKey } from '../types.ts';
import { findPrivateKey } from './private-key-file.ts';

/** An imported private key; opaque. The secret is in OpenSSL's memory and is shown by nothing here. */
export interface PrivateKey {
  readonly algorithm: KeyAlgorithm;
}

interface Imported {
  readonly handle: KeyObject;
  readonly publicKey: PublicKey;
}

const imported = new WeakMap<PrivateKey, Imported>();

/**
 * A private key from the bytes of a file: PEM of PKCS#8 (encrypted or not), PKCS#1 or SEC1 (in the old encrypted form
 * too), or DER of PKCS#8. RSA, P-256, P-384, P-521 and Ed25519, in the limits of `importPublicKey`. A passphrase that
 * the file does not need is not looked at.
 * @throws {CryptoError} 'invalid_key', 'unsupported', and 'wrong_passphrase' also when one is needed and none is given
 */
export function importPrivateKey(bytes: Uint8Array, passphrase?: string): PrivateKey {
  const { input, isEncrypted } = findPrivateKey(bytes);
  if (isEncrypted && passphrase === undefined) {
    const message = 'private key: it is encrypted and no passphrase was given; give the passphrase';
    throw new CryptoError('wrong_passphrase', message);
  }
  let handle: KeyObject;
  try {
    handle = createPrivateKey(isEncrypted ? { ...input, passphrase: passphrase! } : input);
  } catch (cause) {
    throw isEncrypted ? didNotOpen(cause) : new CryptoError('invalid_key', `private key: ${NOT_A_KEY}`, { cause });
  }
  return adopt(handle);
}

const NOT_A_KEY = 'expected PKCS#8 in PEM or DER, or PKCS#1 or SEC1 in PEM; convert a copy with openssl pkcs8 -topk8';

function didNotOpen(cause: unknown): CryptoError {
  if ((cause as { code?: unknown }).code === 'ERR_OSSL_EVP_UNSUPPORTED') {
    const message =
      'private key: it is encrypted with a cipher that this Node.js lacks; encrypt it anew with openssl pkcs8 -topk8';
    return new CryptoError('unsupported', message, { cause });
  }
  // A wrong passphrase shows in the padding, or now and then in the garbage that follows: the two are one answer.
  const message = 'private key: it did not open; the passphrase is wrong, or the file is damaged';
  return new CryptoError('wrong_passphrase', message, { cause });
}

/** The public half. */
export function publicKeyOf(privateKey: PrivateKey): PublicKey {
  return importedPrivateKey(privateKey).publicKey;
}

/**
 * Internal to signing.
 * @throws {CryptoError} 'invalid_key', 'unsupported' when the public half is not a key that we take
 */
export function adopt(handle: KeyObject): PrivateKey {
  const publicKey = importPublicKey(createPublicKey(handle).export({ format: 'der', type: 'spki' }));
  const key: PrivateKey = Object.freeze({ algorithm: publicKey.algorithm });
  imported.set(key, { handle, publicKey });
  return key;
}

/**
 * Internal to signing.
 * @throws {CryptoError} 'invalid_key' for an object that this module did not make
 */
export function importedPrivateKey(key: PrivateKey): Imported {
  const found = imported.get(key);
  if (found === undefined) throw new CryptoError('invalid_key', 'expected a key that importPrivateKey made');
  return found;
}
