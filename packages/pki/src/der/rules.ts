// SPDX-License-Identifier: Apache-2.0

/**
 * How closely a reader holds its input to DER. Tolerances are for what vendors have burnt into hardware; each is safe
 * because signatures are checked over the exact bytes, never over a re-encoding. Indefinite lengths are always refused.
 */
export interface DerRules {
  /** Lengths with more octets than needed (against X.690, 10.1). */
  readonly allowLongLengths: boolean;
  /** SET OF whose elements are not in ascending order (against X.690, 11.6). */
  readonly allowSetOrder: boolean;
  /** Fields present with their DEFAULT value (against X.690, 11.5). */
  readonly allowDefaults: boolean;
  /** Bytes after the outermost element, such as the 0xff of an NV index that is larger than its certificate. */
  readonly allowTrailing: boolean;
  /** Octets of the whole input. */
  readonly maxSizeBytes: number;
  /** Constructed elements inside one another. */
  readonly maxDepth: number;
  /** Elements read in all. */
  readonly maxElements: number;
}

/** DER as X.690 defines it. The default. */
export const STRICT_DER: DerRules = {
  allowLongLengths: false,
  allowSetOrder: false,
  allowDefaults: false,
  allowTrailing: false,
  maxSizeBytes: 4 * 1024 * 1024,
  maxDepth: 32,
  maxElements: 65_536,
};

/** What TPM and platform vendors ship, for reading certificates whose maker cannot be asked to do better. */
export const VENDOR_DER: DerRules = {
  ...STRICT_DER,
  allowLongLengths: true,
  allowSetOrder: true,
  allowDefaults: true,
  allowTrailing: true,
};
