// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digestSize } from '@vouchsafe/crypto';
import { type Bank, type PredictedBoot, type PredictedEvent, replayPredicted } from '@vouchsafe/manifest';

/** PCRs at one point of the boot: bank, PCR, value in lower-case hexadecimal. */
export interface PhasePcrs {
  /** The phases gone through, joined by colons; empty for the moment when the kernel has started. */
  readonly phase: string;
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The PCRs at each phase; first, always, before userspace has extended any. One that nothing extends is all zeros, and who
 * compares has to know that, too: what an attacker adds to a command line goes into such a one.
 */
export function predictedPhases(banks: readonly Bank[], { covers, events, phases }: PredictedBoot): PhasePcrs[] {
  return [{ phase: '', events: [] }, ...phases].map(({ phase, events: more }) => {
    const all = [...events, ...more];
    return { phase, pcrs: Object.fromEntries(banks.map((bank) => [bank, valuesIn(bank, all, covers)])) };
  });
}

function valuesIn(bank: Bank, events: readonly PredictedEvent[], pcrs: readonly number[]): Record<string, string> {
  const values = replayPredicted(bank, events);
  const untouched = new Uint8Array(digestSize(bank));
  return Object.fromEntries(pcrs.toSorted((a, b) => a - b).map((pcr) => [pcr, toHex(values.get(pcr) ?? untouched)]));
}
