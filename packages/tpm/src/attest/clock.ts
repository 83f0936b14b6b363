// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { TpmsClockInfo } from '../structures/clock.ts';

export type ClockFindingCode =
  | 'clock_reset_decreased' // fewer resets than before: another TPM, a cleared one, or an old answer
  | 'clock_restart_decreased' // fewer restarts than before since the same reset
  | 'clock_not_increased'; // the clock stands still or went back within the same start

/** What two readings of one TPM's clock, the later one in hand, say of the time between them. */
export interface ClockChange {
  /**
   * 'same': the machine ran on. 'resumed': the TPM was suspended and came back; PCRs may have been lost or kept. 'reset': it
   * started anew, and nothing of before holds. 'unsafe': the same start, but the clock cannot tell (see `safe`).
   */
  readonly since: 'same' | 'resumed' | 'reset' | 'unsafe';
  /** True unless the machine ran on: all of its boot must be appraised again. */
  readonly needsAppraisal: boolean;
  readonly findings: readonly Finding<ClockFindingCode>[];
}

/**
 * Compares the clock of an attestation with that of the one before, of the same TPM. TPM 2.0 Library, Part 1, Timing
 * Components: resetCount and restartCount only grow until TPM2_Clear, and clock grows while the TPM is powered. After a
 * start that was not orderly, clock may repeat values that it had before; `safe` is then clear.
 */
export function compareClocks(before: TpmsClockInfo, now: TpmsClockInfo, artefact = 'attestation'): ClockChange {
  const finding = (code: ClockFindingCode, path: string, was: unknown, is: unknown): Finding<ClockFindingCode> => ({
    code,
    severity: 'error',
    where: { artefact, path: `clockInfo.${path}` },
    expected: `${was} or more`,
    actual: String(is),
    hint: HINTS[code],
  });
  const resets = difference(now.resetCount, before.resetCount);
  const restarts = difference(now.restartCount, before.restartCount);
  if (resets < 0) {
    const one = finding('clock_reset_decreased', 'resetCount', before.resetCount, now.resetCount);
    return { since: 'reset', needsAppraisal: true, findings: [one] };
  }
  if (resets > 0) return { since: 'reset', needsAppraisal: true, findings: [] };
  if (restarts < 0) {
    const one = finding('clock_restart_decreased', 'restartCount', before.restartCount, now.restartCount);
    return { since: 'resumed', needsAppraisal: true, findings: [one] };
  }
  const since = restarts > 0 ? 'resumed' : 'same';
  if (now.clock > before.clock) return { since, needsAppraisal: since === 'resumed', findings: [] };
  // After a start that was not orderly the clock may repeat values of before, and says so.
  if (!now.safe) return { since: 'unsafe', needsAppraisal: true, findings: [] };
  const one = finding('clock_not_increased', 'clock', before.clock, now.clock);
  return { since, needsAppraisal: true, findings: [one] };
}

/**
 * How much a counter has grown; negative where it has shrunk. A key outside the endorsement hierarchy gets counters to
 * which a constant was added, modulo 2^32 (TPM 2.0 Library, Part 2, section 10.12.12): they may pass zero while growing.
 */
function difference(now: number, before: number): number {
  return (now - before) | 0;
}

const HINTS: Readonly<Record<ClockFindingCode, string>> = {
  clock_reset_decreased:
    'Another TPM, one that was cleared, or an old answer; reset the machine by hand and enrol it anew',
  clock_restart_decreased: 'An old answer, or another TPM; ask again with a new nonce',
  clock_not_increased: 'An old answer; ask again with a new nonce',
};
