// SPDX-License-Identifier: Apache-2.0
import { decodeTcgLog, digestOf } from '@vouchsafe/eventlog';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import type { BootVerdict } from './boot-verdict.ts';

/**
 * The events of a boot that no reference knew of because they are the firmware's, as predictions: a baseline for machines of
 * this model and firmware version, once an operator has approved it. That they were measured, the verdict shows; that they
 * are good, nobody knows.
 * @param firmwareLog the log that the verdict is of.
 * @returns nothing for a boot that was contraindicated: its log is not to be believed.
 * @throws {EventLogError} for a log that is malformed, and so is not the verdict's.
 */
export function learnFirmware(verdict: BootVerdict, firmwareLog: Uint8Array, bank: Bank): PredictedEvent[] {
  if (verdict.status === 'contraindicated') return [];
  const { events } = decodeTcgLog(firmwareLog);
  return verdict.events.flatMap(({ event, judgement }): PredictedEvent[] => {
    const real = event === undefined || judgement !== 'machine' ? undefined : events[event];
    const digest = real && digestOf(real, bank);
    if (real === undefined || digest === undefined) return [];
    const origin = { artefact: 'firmware' };
    return [
      { pcr: real.pcr, description: `the firmware's ${real.type}`, origin, digests: new Map([[bank, digest.slice()]]) },
    ];
  });
}
