// SPDX-License-Identifier: Apache-2.0
/** Bounds on keys from outside: they bound the time and the memory that one signature check can cost. */

/**
 * Below this a modulus is broken, not merely weak: RSA-829 was factored in 2020. What is weak is the caller's policy.
 */
export const MIN_RSA_BITS = 1024;

/** OpenSSL refuses to verify with a larger modulus (OPENSSL_RSA_MAX_MODULUS_BITS). */
export const MAX_RSA_BITS = 16384;

/**
 * A TPM holds an exponent in a UINT32 (TPM 2.0 Library Part 2, TPMS_RSA_PARMS), and Go's crypto/rsa stops at 31 bits.
 * The cost of a check grows with the length of the exponent.
 */
export const MAX_RSA_EXPONENT = 0xffff_ffff;

/** A SubjectPublicKeyInfo of the largest RSA key takes 2,086 octets. */
export const MAX_SPKI_BYTES = 2100;
