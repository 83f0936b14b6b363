// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '@vouchsafe/base';
import type { Bank, EventOrigin, PredictedEvent } from '../predicted-event.ts';
import type { Manifest, ManifestBoot, ManifestEvent } from './schema.ts';

/** The events of one boot, in the order of the log. */
export function predictedEventsOf({ events }: Pick<Manifest, 'events'>, boot: ManifestBoot): PredictedEvent[] {
  return boot.events.map((place) => predictedEventOf(events[place] as ManifestEvent));
}

function predictedEventOf({ pcr, description, origin, digests }: ManifestEvent): PredictedEvent {
  const parsed = new Map(Object.entries(digests).map(([bank, hex]) => [bank as Bank, parseHex(hex ?? '')]));
  return { pcr, description, origin: origin as EventOrigin, digests: parsed };
}
