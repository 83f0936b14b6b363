// SPDX-License-Identifier: Apache-2.0
import { ascii, toHex } from '@vouchsafe/base';
import type { Certificate, Signer } from '@vouchsafe/pki';
import { VerityError } from '../error.ts';
import { type SignOptions, signForKernel, verifyForKernel } from './cms-signature.ts';

/** Octets of the digests that dm-verity has. */
const MIN_ROOT_HASH_BYTES = 16;
const MAX_ROOT_HASH_BYTES = 64;

declare const verified: unique symbol;

/** A root hash that somebody trusted has signed. Only verifyRootHashSignature makes one. */
export interface VerifiedRootHash {
  readonly [verified]: true;
  readonly rootHash: Uint8Array;
  /** The trusted certificate whose key signed. */
  readonly certificate: Certificate;
}

/**
 * The octets that a root hash signature is over: the root hash in lower-case hexadecimal, ASCII, no newline.
 * Linux, drivers/md/dm-verity-verify-sig.c; systemd, src/repart/repart.c, sign_verity_roothash.
 */
export function rootHashSignatureContent(rootHash: Uint8Array): Uint8Array {
  if (rootHash.length < MIN_ROOT_HASH_BYTES || rootHash.length > MAX_ROOT_HASH_BYTES) {
    throw new VerityError(
      'options_invalid',
      `expected a root hash of ${MIN_ROOT_HASH_BYTES} to ${MAX_ROOT_HASH_BYTES} octets, found ${rootHash.length}`,
    );
  }
  return ascii(toHex(rootHash));
}

/**
 * The signature that `veritysetup --root-hash-signature`, the dm-verity target and a verity-sig partition take.
 * @returns CMS ContentInfo in DER.
 * @throws {VerityError} 'options_invalid' for a scheme that is not deterministic; {PkiError} as signDetached does.
 */
export async function signRootHash(
  rootHash: Uint8Array,
  signer: Signer,
  options: SignOptions = { includeCertificate: true },
): Promise<Uint8Array> {
  return signForKernel(rootHashSignatureContent(rootHash), signer, options);
}

/** @throws {VerityError} 'signature_malformed', 'signature_invalid', each with the PkiError as cause. */
export function verifyRootHashSignature(
  rootHash: Uint8Array,
  signature: Uint8Array,
  trusted: readonly Certificate[],
): VerifiedRootHash {
  const content = rootHashSignatureContent(rootHash);
  const certificate = verifyForKernel(content, signature, trusted, 'root hash signature');
  const result = { rootHash, certificate };
  return result as typeof result & VerifiedRootHash;
}
