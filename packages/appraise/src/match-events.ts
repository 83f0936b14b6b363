// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type BootEvent, digestOf } from '@vouchsafe/eventlog';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import type { JudgedEvent } from './verdict.ts';

/**
 * Lays the events of one PCR beside those that were predicted for it. Order counts, as it does in the PCR. Where they part,
 * what comes later in the prediction shows that something is missing; what does not, that something is there too much.
 */
export function matchEvents(
  bank: Bank,
  real: readonly BootEvent[],
  predicted: readonly PredictedEvent[],
): JudgedEvent[] {
  const judged: JudgedEvent[] = [];
  let next = 0;
  for (const event of real) {
    const digest = digestOf(event, bank);
    const at = digest === undefined ? -1 : predicted.findIndex((p, i) => i >= next && holds(p, bank, digest));
    if (at < 0) {
      judged.push({ pcr: event.pcr, event: event.index, judgement: 'unexpected', predicted: undefined });
      continue;
    }
    for (const missing of predicted.slice(next, at)) judged.push(absent(missing));
    judged.push({ pcr: event.pcr, event: event.index, judgement: 'expected', predicted: predicted[at] });
    next = at + 1;
  }
  for (const missing of predicted.slice(next)) judged.push(absent(missing));
  return judged;
}

const absent = (predicted: PredictedEvent): JudgedEvent => ({
  pcr: predicted.pcr,
  event: undefined,
  judgement: 'missing',
  predicted,
});

function holds(predicted: PredictedEvent, bank: Bank, digest: Uint8Array): boolean {
  const expected = predicted.digests.get(bank);
  return expected !== undefined && bytesEqual(expected, digest);
}

/** The predicted digest in text; for findings. */
export function digestText({ digests }: PredictedEvent, bank: Bank): string {
  const digest = digests.get(bank);
  return digest === undefined ? `no ${bank} digest` : toHex(digest);
}
