// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, struct, u16be, u32be } from '@vouchsafe/codec';
import { tpm2bDigest } from './buffer.ts';

/** TPM_ST of the tickets. TPM 2.0 Library, Part 2, section 6.9. */
const TICKET_TAG = {
  creation: 0x8021,
  verified: 0x8022,
  authSecret: 0x8023,
  hashcheck: 0x8024,
  authSigned: 0x8025,
} as const;

/**
 * TPMT_TK_CREATION, TPMT_TK_VERIFIED, TPMT_TK_AUTH and TPMT_TK_HASHCHECK: proof that this TPM did something before. Only
 * the TPM that made one can check it. TPM 2.0 Library, Part 2, sections 10.7.3 to 10.7.6.
 */
export const tpmtTicket = struct('TPMT_TK_*', {
  tag: [enumOf(u16be, TICKET_TAG), 'what the TPM did'],
  hierarchy: [u32be, 'whose proof value is the key of the digest; TPM_RH_NULL of a ticket that proves nothing'],
  digest: tpm2bDigest,
});
export type TpmtTicket = Infer<typeof tpmtTicket>;
