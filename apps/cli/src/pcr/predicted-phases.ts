// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digestSize } from '@vouchsafe/crypto';
import { type Bank, type PredictedEvent, replayPredicted } from '@vouchsafe/manifest';
import { DEFAULT_PHASES, parsePhasePath, predictPhases } from '@vouchsafe/measure';

/** PCRs at one point of the boot: bank, PCR, value in lower-case hexadecimal. */
export interface PhasePcrs {
  /** The phases gone through, joined by colons; empty for the moment when the kernel has started. */
  readonly phase: string;
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The PCRs at each phase; first, always, before userspace has extended any. One that nothing extends is all zeros, and who
 * compares has to know that, too: what an attacker adds to a command line goes into such a one.
 * @param phases boot phase paths; those of a usual boot when left out.
 * @throws {MeasureError} 'phase_invalid'
 */
export function predictedPhases(
  banks: readonly Bank[],
  events: readonly PredictedEvent[],
  pcrs: readonly number[],
  phases: readonly string[] = DEFAULT_PHASES,
): PhasePcrs[] {
  const paths = new Set(['', ...phases.map((path) => parsePhasePath(path).join(':'))]);
  return [...paths].map((phase) => {
    const all = [...events, ...predictPhases(banks, phase)];
    return { phase, pcrs: Object.fromEntries(banks.map((bank) => [bank, valuesIn(bank, all, pcrs)])) };
  });
}

function valuesIn(bank: Bank, events: readonly PredictedEvent[], pcrs: readonly number[]): Record<string, string> {
  const values = replayPredicted(bank, events);
  const untouched = new Uint8Array(digestSize(bank));
  return Object.fromEntries(pcrs.toSorted((a, b) => a - b).map((pcr) => [pcr, toHex(values.get(pcr) ?? untouched)]));
}

/** Phase by phase, each PCR on a line. */
export function phasesText(phases: readonly PhasePcrs[]): string {
  return phases
    .flatMap(({ phase, pcrs }) => [
      phase === '' ? 'when the kernel has started:' : `after ${phase}:`,
      ...Object.entries(pcrs).flatMap(([bank, values]) =>
        Object.entries(values).map(([pcr, value]) => `  ${bank} ${pcr.padStart(2)} ${value}`),
      ),
    ])
    .join('\n');
}
