// SPDX-License-Identifier: Apache-2.0
import { compareClocks, type TpmsClockInfo } from '@vouchsafe/tpm';
import type { BootState } from '../boot-state.ts';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';

export interface ClockOutcome {
  readonly facts: Facts['clock'];
  readonly findings: readonly AppraisalFinding[];
  /** The boot is that of the attestation before; what was found then still holds. */
  readonly isSameBoot: boolean;
  /** The TPM was reset, by a count that has grown: nothing of before counts, for or against the machine. */
  readonly isNewBoot: boolean;
}

/**
 * The TPM's clock against that of the last attestation. resetCount and restartCount only grow, and the clock grows within a
 * start (A35). Whatever happened to the TPM in between, a resume or a start that was not orderly, the whole boot is appraised
 * anew (A36); after a reset nothing of before holds, whatever the log looks like (A37).
 */
export function appraiseClock(previous: BootState | undefined, now: TpmsClockInfo): ClockOutcome {
  if (previous === undefined)
    return { facts: { since: 'first', isConsistent: true }, findings: [], isSameBoot: false, isNewBoot: true };
  const { clock, ...counts } = previous.clock;
  const { since, needsAppraisal, findings } = compareClocks({ clock: BigInt(clock), ...counts }, now, 'quote');
  const isConsistent = findings.length === 0;
  return {
    facts: { since, isConsistent },
    findings,
    isSameBoot: !needsAppraisal,
    isNewBoot: since === 'reset' && isConsistent,
  };
}
