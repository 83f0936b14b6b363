// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type BootEvent, digestOf } from '@vouchsafe/eventlog';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import type { JudgedEvent } from './boot-verdict.ts';
import { type Pair, pairUp } from './pair-up.ts';

/**
 * Lays the events of one PCR beside those that were predicted for it. Order counts, as it does in the PCR, and so does
 * number: each prediction stands for one event. What has no partner is unexpected or missing. Only digests are compared,
 * as nothing else of an event is measured.
 */
export function matchEvents(
  bank: Bank,
  real: readonly BootEvent[],
  predicted: readonly PredictedEvent[],
): JudgedEvent[] {
  const pairs = pairUp(
    real.map((event) => textOf(digestOf(event, bank))),
    predicted.map(({ digests }) => textOf(digests.get(bank))),
  );
  return pairs.map((pair) => judge(pair, real, predicted));
}

const textOf = (digest: Uint8Array | undefined): string | undefined => digest && toHex(digest);

function judge({ left, right }: Pair, real: readonly BootEvent[], predicted: readonly PredictedEvent[]): JudgedEvent {
  const event = left === undefined ? undefined : (real[left] as BootEvent);
  const prediction = right === undefined ? undefined : (predicted[right] as PredictedEvent);
  if (event === undefined) {
    const { pcr } = prediction as PredictedEvent;
    return { pcr, event: undefined, judgement: 'missing', predicted: prediction };
  }
  const judgement = prediction === undefined ? 'unexpected' : 'expected';
  return { pcr: event.pcr, event: event.index, judgement, predicted: prediction };
}
