// SPDX-License-Identifier: Apache-2.0
import { CodecError, constant, decode, enumOf, rest, sized, struct, u8, u16be, u32be } from '@vouchsafe/codec';
import { CryptoError, type DigestAlgorithm, importPublicKey, type PublicKey, verifyDigest } from '@vouchsafe/crypto';
import type { ImaFile } from '@vouchsafe/eventlog';

/** Numbers of the kernel's include/uapi/linux/hash_info.h. */
const HASH_ALGO = { sha1: 2, sha256: 4, sha384: 5, sha512: 6, sha224: 7 } as const;
const MAX_SIGNATURE_BYTES = 1024;

/** security.ima with a signature. Linux, security/integrity/integrity.h, struct signature_v2_hdr; xattr type 3, version 2. */
const signatureV2 = struct('signature_v2_hdr', {
  type: constant(u8, 3),
  version: constant(u8, 2),
  hashAlgorithm: enumOf(u8, HASH_ALGO),
  keyId: [u32be, 'last octets of the key identifier; a hint'],
  signature: sized(u16be, rest, MAX_SIGNATURE_BYTES),
});

/** Each check costs up to some milliseconds; what is beyond is not taken for signed. */
const MAX_CHECKS = 4096;

/** Checks signatures of files by keys that are trusted for that. A signature is by the digest of the file's content. */
export class ImaSignatures {
  readonly #keys: readonly PublicKey[];
  #checks = 0;

  /** @param keys SPKI. @throws {CryptoError} for a key that cannot be imported: a mistake of the verifier. */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys.map(importPublicKey);
  }

  /** Whether one of the keys has signed the digest that was measured. False for every other form of signature. */
  isSigned({ algorithm, digest, signature, digestType }: ImaFile): boolean {
    if (this.#keys.length === 0 || signature === undefined || digestType === 'verity') return false;
    const parsed = parse(signature);
    if (parsed?.hashAlgorithm !== algorithm || algorithm === 'sha1') return false;
    return this.#keys.some((key) => this.#isSignedBy(key, algorithm as DigestAlgorithm, digest, parsed.signature));
  }

  #isSignedBy(key: PublicKey, hash: DigestAlgorithm, digest: Uint8Array, signature: Uint8Array): boolean {
    if (++this.#checks > MAX_CHECKS || key.algorithm.kind === 'ed25519') return false;
    const scheme =
      key.algorithm.kind === 'rsa'
        ? ({ kind: 'rsa-pkcs1', hash } as const)
        : ({ kind: 'ecdsa', hash, encoding: 'der' } as const);
    try {
      return verifyDigest(key, scheme, digest, signature);
    } catch (error) {
      // A runtime that refuses to check it: it is not known to be signed.
      if (error instanceof CryptoError) return false;
      throw error;
    }
  }
}

function parse(signature: Uint8Array) {
  try {
    return decode(signatureV2, signature);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
