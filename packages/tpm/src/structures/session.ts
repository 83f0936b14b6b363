// SPDX-License-Identifier: Apache-2.0
import { enumOf, flags, type Infer, select, struct, u8, u16be, u32be } from '@vouchsafe/codec';
import { TPM_ALG, tpmiAlgHash } from './algorithm.ts';
import { tpm2bDigest } from './buffer.ts';
import { tpmsEmpty, tpmuSymCipher } from './scheme.ts';

/** TPMA_SESSION. TPM 2.0 Library, Part 2, section 8.4. */
export const tpmaSession = flags(u8, {
  continueSession: 0,
  auditExclusive: 1,
  auditReset: 2,
  /** The first parameter of the command is encrypted. */
  decrypt: 5,
  /** The first parameter of the response is encrypted. */
  encrypt: 6,
  audit: 7,
});
export type TpmaSession = Infer<typeof tpmaSession>;

/** TPM_SE. Part 2, section 6.11. */
export const tpmSe = enumOf(u8, { hmac: 0x00, policy: 0x01, trial: 0x03 });

/** TPMS_AUTH_COMMAND. TPM 2.0 Library, Part 2, section 10.13.2. */
export const tpmsAuthCommand = struct('TPMS_AUTH_COMMAND', {
  sessionHandle: [u32be, 'of the session, or TPM_RS_PW'],
  nonce: [tpm2bDigest, 'nonceCaller'],
  sessionAttributes: tpmaSession,
  hmac: [tpm2bDigest, 'or the password'],
});

/** TPMS_AUTH_RESPONSE. TPM 2.0 Library, Part 2, section 10.13.3. */
export const tpmsAuthResponse = struct('TPMS_AUTH_RESPONSE', {
  nonce: [tpm2bDigest, 'nonceTPM'],
  sessionAttributes: tpmaSession,
  hmac: tpm2bDigest,
});

/** TPMT_SYM_DEF: how parameters are encrypted. TPM 2.0 Library, Part 2, section 11.1.6. */
export const tpmtSymDef = struct('TPMT_SYM_DEF', {
  algorithm: enumOf(u16be, { null: TPM_ALG.null, aes: TPM_ALG.aes, xor: TPM_ALG.xor }),
  details: select('algorithm', {
    null: tpmsEmpty,
    aes: tpmuSymCipher,
    xor: struct('TPMU_SYM_KEY_BITS', { hashAlg: tpmiAlgHash }),
  }),
});

/** TPM_EO: how TPM2_PolicyNV and TPM2_PolicyCounterTimer compare. Part 2, section 6.8. */
export const TPM_EO = {
  eq: 0x0000,
  neq: 0x0001,
  signedGt: 0x0002,
  unsignedGt: 0x0003,
  signedLt: 0x0004,
  unsignedLt: 0x0005,
  signedGe: 0x0006,
  unsignedGe: 0x0007,
  signedLe: 0x0008,
  unsignedLe: 0x0009,
  bitset: 0x000a,
  bitclear: 0x000b,
} as const;
export const tpmEo = enumOf(u16be, TPM_EO);
export type TpmEo = keyof typeof TPM_EO;

/** TPM_SU. Part 2, section 6.10. */
export const tpmSu = enumOf(u16be, { clear: 0x0000, state: 0x0001 });
