// SPDX-License-Identifier: Apache-2.0
import { type Infer, struct, u32be, u64be } from '@vouchsafe/codec';
import { tpmiYesNo } from './buffer.ts';

/** TPM 2.0 Library, Part 2, section 10.11.1. */
export const tpmsClockInfo = struct('TPMS_CLOCK_INFO', {
  clock: [u64be, 'milliseconds that the TPM was powered since TPM2_Clear'],
  resetCount: [u32be, 'TPM resets since TPM2_Clear'],
  restartCount: [u32be, 'resumes and restarts since the last TPM reset'],
  safe: [tpmiYesNo, 'no value of clock as large as this was reported before'],
});
export type TpmsClockInfo = Infer<typeof tpmsClockInfo>;

/** TPM 2.0 Library, Part 2, section 10.11.6. */
export const tpmsTimeInfo = struct('TPMS_TIME_INFO', {
  time: [u64be, 'milliseconds since the last start-up of the TPM'],
  clockInfo: tpmsClockInfo,
});
