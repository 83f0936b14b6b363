// SPDX-License-Identifier: Apache-2.0
import { type Infer, rest, struct, u32be, u64be } from '@vouchsafe/codec';
import { tpm2b } from './buffer.ts';

/** Octets of a saved object or session at most, beyond TPM_PT_MAX_OBJECT_CONTEXT of the TPMs known. */
const MAX_CONTEXT_BYTES = 4096;

/** TPMS_CONTEXT: an object or a session put aside, which only the TPM that saved it loads. Part 2, section 14.5. */
export const tpmsContext = struct('TPMS_CONTEXT', {
  sequence: [u64be, 'a number used once'],
  savedHandle: [u32be, 'what it was: a session, or what kind of object'],
  hierarchy: u32be,
  contextBlob: [tpm2b(rest, MAX_CONTEXT_BYTES), 'TPM2B_CONTEXT_DATA'],
});
export type TpmsContext = Infer<typeof tpmsContext>;
