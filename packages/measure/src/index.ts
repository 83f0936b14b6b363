// SPDX-License-Identifier: Apache-2.0
export { MeasureError, type MeasureErrorCode } from './error.ts';
export {
  predictBootAttempt,
  predictPartitionTable,
  predictSecureBoot,
  type SecureBootState,
} from './firmware-events.ts';
export { measuredSections } from './measured-sections.ts';
export { replayPredicted } from './replay.ts';
export { predictUki, type UkiStart } from './uki-events.ts';
