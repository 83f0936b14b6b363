// SPDX-License-Identifier: Apache-2.0
import { type DigestSignatureScheme, digest, type SignatureScheme } from '@vouchsafe/crypto';
import { PkiError } from './error.ts';
import { importKey, isSignatureBy } from './public-key.ts';
import type { Certificate } from './x509/certificate.ts';

interface SignerKey {
  /** DER of the key's SubjectPublicKeyInfo; what it signs is checked with it. */
  readonly spki: Uint8Array;
  /**
   * What signs has made sure that it is this key and that the signature is good, as `@vouchsafe/crypto/signing` does: it is not
   * checked a second time, which for ECDSA costs twice what signing does.
   */
  readonly isChecked?: boolean;
  /** The key's certificate, where it has one; CMS names the signer by it. */
  readonly certificate?: Certificate;
}

/** A key that signs digests: what a smart card, a TPM or a cloud's key service offers, so nothing large goes to it. */
export interface DigestSigner extends SignerKey {
  readonly input: 'digest';
  readonly scheme: DigestSignatureScheme;
  /** @param digest by the scheme's hash, whole. */
  signDigest(digest: Uint8Array): Promise<Uint8Array>;
}

/**
 * A key that must see the message: Ed25519 hashes it twice (RFC 8032, 5.1.6), and some libraries offer no other way for
 * ECDSA. Messages are small here: attributes, a certificate, a root hash.
 */
export interface MessageSigner extends SignerKey {
  readonly input: 'message';
  readonly scheme: SignatureScheme;
  signMessage(message: Uint8Array): Promise<Uint8Array>;
}

/**
 * A private key, wherever it is. Which of the two it is stands in `input`, so a digest can never be signed as if it were a
 * message, nor the other way round.
 */
export type Signer = DigestSigner | MessageSigner;

/**
 * Signs, and checks the signature with the signer's own public key, unless the signer did, before anyone sees it: a device that holds another key,
 * or that erred (which for RSA can give the key away), is found here and not on the machine that does not boot.
 * @throws {PkiError} 'key_mismatch' when the signature does not hold.
 */
export async function signWith(signer: Signer, message: Uint8Array): Promise<Uint8Array> {
  const { scheme } = signer;
  const signature =
    signer.input === 'digest'
      ? await signer.signDigest(digest(signer.scheme.hash, message))
      : await signer.signMessage(message);
  if (signer.isChecked === true) return signature;
  if (!isSignatureBy(importKey(signer.spki), scheme, message, signature)) {
    const problem = `expected a ${scheme.kind} signature by the signer's public key, got another; is it the right key?`;
    throw new PkiError('key_mismatch', problem);
  }
  return signature;
}
