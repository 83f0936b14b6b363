// SPDX-License-Identifier: Apache-2.0
import { enumOf, list, u32be } from '@vouchsafe/codec';

/** TPM_RH: the permanent handles. TPM 2.0 Library, Part 2, section 7.4. */
export const TPM_RH = {
  owner: 0x4000_0001,
  null: 0x4000_0007,
  /** The handle that a password authorization has in place of a session; TPM_RS_PW. */
  passwordSession: 0x4000_0009,
  lockout: 0x4000_000a,
  endorsement: 0x4000_000b,
  platform: 0x4000_000c,
} as const;

/** TPMI_RH_HIERARCHY+. TPM 2.0 Library, Part 2, section 9.13. */
export const tpmiRhHierarchy = enumOf(u32be, {
  owner: TPM_RH.owner,
  endorsement: TPM_RH.endorsement,
  platform: TPM_RH.platform,
  null: TPM_RH.null,
});

/** TPM_HT: what a handle is of, its most significant octet. Part 2, section 7.2. */
export const TPM_HT = {
  pcr: 0x00,
  nvIndex: 0x01,
  /** Of loaded sessions in TPM2_GetCapability too. */
  hmacSession: 0x02,
  /** Of saved sessions in TPM2_GetCapability too. */
  policySession: 0x03,
  permanent: 0x40,
  transient: 0x80,
  persistent: 0x81,
} as const;

/** The first handle of a type, from which TPM2_GetCapability lists on. */
export function firstHandle(type: keyof typeof TPM_HT): number {
  return (TPM_HT[type] << 24) >>> 0;
}

/** The type octet of a handle. */
export function handleType(handle: number): number {
  return handle >>> 24;
}

/** Handles in one answer at most: MAX_CAP_HANDLES, (1,024 - 8) / 4. Part 2, section 10.9.4. */
const MAX_HANDLES = 254;

/** TPML_HANDLE. TPM 2.0 Library, Part 2, section 10.9.4. */
export const tpmlHandle = list(u32be, u32be, MAX_HANDLES);
