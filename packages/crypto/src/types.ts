// SPDX-License-Identifier: Apache-2.0
/**
 * What both runtimes offer. `node/index.ts` and `browser/index.ts` export the same names with the types written here;
 * a test holds them to it.
 */

/** Digests by the kernel crypto API's names, which are OpenSSL's too but for the dashes. */
export type DigestAlgorithm =
  | 'sha1'
  | 'sha224'
  | 'sha256'
  | 'sha384'
  | 'sha512'
  | 'sha3-224'
  | 'sha3-256'
  | 'sha3-384'
  | 'sha3-512'
  | 'blake2b-512'
  | 'blake2s-256'
  | 'ripemd160'
  | 'sm3';

export interface IncrementalDigest {
  update(bytes: Uint8Array): this;
  /** The same computation so far, to go on with in another way. */
  copy(): IncrementalDigest;
  /** Ends the computation; the object is used up, and another call of either method is a defect of the caller. */
  digest(): Uint8Array;
}

/** NIST's names, FIPS 186-5 and SP 800-186; secp256r1, secp384r1 and secp521r1 in RFC 5480. */
export type EcCurve = 'P-256' | 'P-384' | 'P-521';

/** What kind of key it is, and how large. Whether that is strong enough is for the caller to say. */
export type KeyAlgorithm =
  | { readonly kind: 'rsa'; readonly bits: number }
  | { readonly kind: 'ec'; readonly curve: EcCurve }
  | { readonly kind: 'ed25519' };

/** How a signature was made. The key must be of the matching kind; a mismatch is an error, never false. */
export type SignatureScheme =
  /** RSASSA-PKCS1-v1_5. RFC 8017, section 8.2. */
  | { readonly kind: 'rsa-pkcs1'; readonly hash: DigestAlgorithm }
  /** RSASSA-PSS. RFC 8017, section 8.1; MGF1 uses the same hash, and `saltSize` is in octets. */
  | { readonly kind: 'rsa-pss'; readonly hash: DigestAlgorithm; readonly saltSize: number | 'any' }
  /**
   * 'der' is ECDSA-Sig-Value (RFC 3279, section 2.2.3); 'raw' is r || s, each as long as the curve's order (IEEE
   * P1363).
   */
  | { readonly kind: 'ecdsa'; readonly hash: DigestAlgorithm; readonly encoding: 'der' | 'raw' }
  /** PureEdDSA over edwards25519. RFC 8032, section 5.1. */
  | { readonly kind: 'ed25519' };

/** The schemes that sign a digest of the message, so that the digest alone is enough to check one. */
export type DigestSignatureScheme = Exclude<SignatureScheme, { readonly kind: 'ed25519' }>;

/** An imported public key; opaque, immutable, cheap to use again. Only `importPublicKey` makes one. */
export interface PublicKey {
  readonly algorithm: KeyAlgorithm;
  /** DER of SubjectPublicKeyInfo as it was given (RFC 5280, section 4.1); a copy that is the key's own. */
  readonly spki: Uint8Array;
}
