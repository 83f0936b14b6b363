// SPDX-License-Identifier: Apache-2.0
import type { BootState } from '@vouchsafe/appraise';
import type { AttestationSettings } from '../../main/config.ts';

/** Of both clocks together: what passes between a quote and its arrival. */
const SLACK_MS = 10_000;

/**
 * Whether a machine may have quoted long before it sent: over a challenge that it held since its last attestation, a quote
 * could be made at once and kept while the machine is changed. So the TPM's clock must have gone on as ours has. A machine that
 * slept or started anew has no such clock: it is asked for a quote over a fresh challenge.
 * @param ageMs of the challenge. @param before of the last attestation. @param now what this quote gives.
 */
export function needsFreshChallenge(
  ageMs: number,
  before: BootState | undefined,
  now: BootState,
  settings: Pick<AttestationSettings, 'freshMs' | 'clockTolerance'>,
): boolean {
  if (ageMs <= settings.freshMs) return false;
  if (before === undefined) return true;
  const isSameStart =
    before.clock.resetCount === now.clock.resetCount && before.clock.restartCount === now.clock.restartCount;
  if (!isSameStart || !now.clock.safe) return true;
  const elapsedMs = now.atMs - before.atMs;
  const advancedMs = Number(BigInt(now.clock.clock) - BigInt(before.clock.clock));
  const { clockTolerance } = settings;
  const isSlow = advancedMs < elapsedMs * (1 - clockTolerance) - SLACK_MS;
  // A clock that was set forward (TPM2_ClockSet) could vouch for a time that has not come yet.
  const isFast = advancedMs > elapsedMs * (1 + clockTolerance) + SLACK_MS;
  return isSlow || isFast;
}
