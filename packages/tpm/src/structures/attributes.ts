// SPDX-License-Identifier: Apache-2.0
import { flags, type Infer, u32be } from '@vouchsafe/codec';

/** Bits by name. Part 2, section 8.3.2. */
const BITS = {
  fixedTPM: 1,
  stClear: 2,
  fixedParent: 4,
  sensitiveDataOrigin: 5,
  userWithAuth: 6,
  adminWithPolicy: 7,
  firmwareLimited: 8,
  svnLimited: 9,
  noDA: 10,
  encryptedDuplication: 11,
  restricted: 16,
  decrypt: 17,
  signEncrypt: 18,
  x509sign: 19,
} as const;

/**
 * TPMA_OBJECT. TPM 2.0 Library, Part 2, section 8.3. Reserved bits are refused: a TPM would not load such an object, and
 * what they will come to mean is not known.
 */
export const tpmaObject = flags(u32be, BITS);
export type TpmaObject = Infer<typeof tpmaObject>;

const NAMES = Object.keys(BITS) as (keyof TpmaObject)[];

/** The attributes given, all others clear. */
export function objectAttributes(...set: readonly (keyof TpmaObject)[]): TpmaObject {
  return Object.fromEntries(NAMES.map((name) => [name, set.includes(name)])) as TpmaObject;
}
