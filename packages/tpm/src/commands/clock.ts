// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpmsTimeInfo } from '../structures/clock.ts';
import { TPM_CC } from '../structures/command-code.ts';

/** Part 3, section 29.1. */
export const tpm2ReadClock = command('TPM2_ReadClock', {
  code: TPM_CC.readClock,
  response: { currentTime: tpmsTimeInfo },
});
