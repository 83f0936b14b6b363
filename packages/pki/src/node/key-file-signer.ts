// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { CryptoError, type DigestAlgorithm, type KeyAlgorithm } from '@vouchsafe/crypto';
import { importPrivateKey, type PrivateKey, publicKeyOf, signDigest, signMessage } from '@vouchsafe/crypto/signing';
import { PkiError, type PkiErrorCode } from '../error.ts';
import type { Signer } from '../signer.ts';
import type { Certificate } from '../x509/certificate.ts';
import { decodeCertificates } from '../x509/certificate-file.ts';
import { CURVE_HASHES } from './curve-hashes.ts';
import { readSmallFile } from './read-small-file.ts';

export interface KeyFileOptions {
  /** PEM of PKCS #8, PKCS #1 or SEC 1, or DER of PKCS #8. */
  readonly keyPath: string;
  /** PEM or DER; among several certificates the one of the key is taken. */
  readonly certificatePath?: string;
  readonly passphrase?: string;
  /** For RSA; SHA-256 when left out. The other keys go with the digest of their own strength. */
  readonly hash?: DigestAlgorithm;
}

/**
 * A signer from a private key in a file: RSA signs as RSASSA-PKCS1-v1_5 and Ed25519 as it is, both deterministic; ECDSA
 * takes a random nonce, so what it signs cannot be reproduced.
 * @throws {PkiError} 'io', 'key_invalid', 'passphrase_wrong', 'unsupported'; 'key_mismatch' when no certificate in the file
 * is the key's; as decodeCertificates does.
 */
export async function openKeyFileSigner(options: KeyFileOptions): Promise<Signer> {
  const privateKey = importKeyFile(await readSmallFile(options.keyPath), options);
  const { spki } = publicKeyOf(privateKey);
  const { certificatePath, hash = 'sha256' } = options;
  const certificate = certificatePath === undefined ? undefined : await readCertificateOf(spki, certificatePath);
  const common = { spki, ...(certificate === undefined ? {} : { certificate }) };
  const scheme = schemeFor(privateKey.algorithm, hash);
  if (scheme.kind === 'rsa-pkcs1') {
    return { ...common, input: 'digest', scheme, signDigest: async (digest) => signDigest(privateKey, scheme, digest) };
  }
  return {
    ...common,
    input: 'message',
    scheme,
    signMessage: async (message) => signMessage(privateKey, scheme, message),
  };
}

function schemeFor(algorithm: KeyAlgorithm, hash: DigestAlgorithm) {
  switch (algorithm.kind) {
    case 'rsa':
      return { kind: 'rsa-pkcs1', hash } as const;
    case 'ec':
      return { kind: 'ecdsa', hash: CURVE_HASHES[algorithm.curve], encoding: 'der' } as const;
    case 'ed25519':
      return { kind: 'ed25519' } as const;
  }
}

function importKeyFile(bytes: Uint8Array, { keyPath, passphrase }: KeyFileOptions): PrivateKey {
  try {
    return importPrivateKey(bytes, passphrase);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new PkiError(IMPORT_CODES[cause.code], `${keyPath}: ${cause.message}`, { cause });
  } finally {
    bytes.fill(0);
  }
}

const IMPORT_CODES: Readonly<Record<CryptoError['code'], PkiErrorCode>> = {
  unsupported: 'unsupported',
  invalid_key: 'key_invalid',
  key_mismatch: 'key_invalid',
  invalid_input: 'key_invalid',
  wrong_passphrase: 'passphrase_wrong',
};

async function readCertificateOf(spki: Uint8Array, path: string): Promise<Certificate> {
  const certificates = decodeInFile(path, await readSmallFile(path));
  const found = certificates.find((certificate) => bytesEqual(certificate.publicKey.bytes, spki));
  if (found === undefined) {
    const subjects = certificates.map(({ subject }) => `'${subject.text}'`).join(', ');
    throw new PkiError('key_mismatch', `${path}: expected the certificate of the private key, found ${subjects}`);
  }
  return found;
}

function decodeInFile(path: string, bytes: Uint8Array): Certificate[] {
  try {
    return decodeCertificates(bytes);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new PkiError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}
