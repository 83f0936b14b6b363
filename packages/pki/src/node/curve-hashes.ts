// SPDX-License-Identifier: Apache-2.0

/** FIPS 186-5 wants a digest as strong as the curve; these are what OpenSSL and the kernel pair by default. */
export const CURVE_HASHES = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512' } as const;
