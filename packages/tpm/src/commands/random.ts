// SPDX-License-Identifier: Apache-2.0
import { u16be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { tpm2bDigest } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';

/** Part 3, section 16.1. A TPM may give fewer octets than asked for, at most those of its longest digest. */
export const tpm2GetRandom = command('TPM2_GetRandom', {
  code: TPM_CC.getRandom,
  parameters: { bytesRequested: u16be },
  response: { randomBytes: tpm2bDigest },
});
