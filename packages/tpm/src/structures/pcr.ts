// SPDX-License-Identifier: Apache-2.0
import { type Infer, list, rest, sized, struct, u8, u32be } from '@vouchsafe/codec';
import { tpmiAlgHashOpen } from './algorithm.ts';

/** Octets of a bit map of PCRs at most: 32 registers. Part 2, section 10.6.1; PC Client TPMs have 24, so 3 octets. */
const MAX_SELECT_BYTES = 4;
/** Banks in one selection at most, HASH_COUNT. Part 2, section 10.9.7. */
const MAX_SELECTIONS = 16;

/** TPM 2.0 Library, Part 2, section 10.6.2. */
export const tpmsPcrSelection = struct('TPMS_PCR_SELECTION', {
  hash: [tpmiAlgHashOpen, 'the bank'],
  pcrSelect: [sized(u8, rest, MAX_SELECT_BYTES), 'bit n of octet m is PCR 8m + n'],
});
export type TpmsPcrSelection = Infer<typeof tpmsPcrSelection>;

/** TPM 2.0 Library, Part 2, section 10.9.7. */
export const tpmlPcrSelection = list(u32be, tpmsPcrSelection, MAX_SELECTIONS);
