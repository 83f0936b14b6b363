// SPDX-License-Identifier: Apache-2.0
import { u32be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { tpm2bEvent, tpmlDigest } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmlDigestValues } from '../structures/ha.ts';
import { tpmlPcrSelection } from '../structures/pcr.ts';

/** Part 3, section 22.2. */
export const tpm2PcrExtend = command('TPM2_PCR_Extend', {
  code: TPM_CC.pcrExtend,
  handles: { pcrHandle: 'user' },
  parameters: { digests: [tpmlDigestValues, 'one for each bank that is to be extended'] },
});

/** Part 3, section 22.3. The TPM hashes eventData into every bank. */
export const tpm2PcrEvent = command('TPM2_PCR_Event', {
  code: TPM_CC.pcrEvent,
  handles: { pcrHandle: 'user' },
  parameters: { eventData: tpm2bEvent },
  response: { digests: tpmlDigestValues },
});

/** Part 3, section 22.4. A TPM gives at most 8 values at a time, see `readPcrs`. */
export const tpm2PcrRead = command('TPM2_PCR_Read', {
  code: TPM_CC.pcrRead,
  parameters: { pcrSelectionIn: tpmlPcrSelection },
  response: {
    pcrUpdateCounter: [u32be, 'counts every extend'],
    pcrSelectionOut: tpmlPcrSelection,
    pcrValues: tpmlDigest,
  },
});

/** Part 3, section 22.8. */
export const tpm2PcrReset = command('TPM2_PCR_Reset', { code: TPM_CC.pcrReset, handles: { pcrHandle: 'user' } });
