// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes } from '@vouchsafe/base';
import { digestSize } from '@vouchsafe/crypto';
import type { Certificate, Signer } from '@vouchsafe/pki';
import { VerityError } from '../error.ts';
import { FSVERITY_ALGORITHM_NUMBERS, type FsVerityAlgorithm } from '../fsverity/descriptor.ts';
import { type SignOptions, signForKernel, verifyForKernel } from './cms-signature.ts';

const MAGIC = ascii('FSVerity');

declare const verified: unique symbol;

/** A file digest of fs-verity. */
export interface FsVerityFileDigest {
  readonly algorithm: FsVerityAlgorithm;
  readonly digest: Uint8Array;
}

/** A file digest that somebody trusted has signed. Only verifyFileDigestSignature makes one. */
export interface VerifiedFileDigest extends FsVerityFileDigest {
  readonly [verified]: true;
  /** The trusted certificate whose key signed. */
  readonly certificate: Certificate;
}

/**
 * struct fsverity_formatted_digest, which is what gets signed: magic[8], le16 digest_algorithm, le16 digest_size, digest.
 * Linux, include/uapi/linux/fsverity.h; Documentation/filesystems/fsverity.rst, "Built-in signature verification".
 * @throws {VerityError} 'options_invalid' when the digest has another length than its algorithm's.
 */
export function encodeFormattedDigest({ algorithm, digest }: FsVerityFileDigest): Uint8Array {
  const size = digestSize(algorithm);
  if (digest.length !== size) {
    throw new VerityError(
      'options_invalid',
      `expected a ${algorithm} digest of ${size} octets, found ${digest.length}`,
    );
  }
  return concatBytes(MAGIC, le16(FSVERITY_ALGORITHM_NUMBERS[algorithm]), le16(size), digest);
}

/**
 * The signature that FS_IOC_ENABLE_VERITY takes, as `fsverity sign` writes it: without the certificate.
 * @returns CMS ContentInfo in DER.
 * @throws {VerityError} 'options_invalid'; {PkiError} as signDetached does.
 */
export async function signFileDigest(
  fileDigest: FsVerityFileDigest,
  signer: Signer,
  options: SignOptions = { includeCertificate: false },
): Promise<Uint8Array> {
  return signForKernel(encodeFormattedDigest(fileDigest), signer, options);
}

/** @throws {VerityError} 'signature_malformed', 'signature_invalid', each with the PkiError as cause. */
export function verifyFileDigestSignature(
  fileDigest: FsVerityFileDigest,
  signature: Uint8Array,
  trusted: readonly Certificate[],
): VerifiedFileDigest {
  const content = encodeFormattedDigest(fileDigest);
  const certificate = verifyForKernel(content, signature, trusted, 'fs-verity signature');
  const result = { algorithm: fileDigest.algorithm, digest: fileDigest.digest, certificate };
  return result as typeof result & VerifiedFileDigest;
}

function le16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8);
}
