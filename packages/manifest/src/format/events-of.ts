// SPDX-License-Identifier: Apache-2.0
import { parseHex } from '@vouchsafe/base';
import type { Bank, EventOrigin, PredictedEvent } from '../predicted-event.ts';
import type { Manifest, ManifestBoot, ManifestEvent } from './schema.ts';

interface Predicted {
  readonly of: Manifest['events'];
  readonly events: readonly PredictedEvent[];
}

/** For each boot of a machine the same manifests are asked; they do not change once they were read. */
const known = new WeakMap<ManifestBoot, Predicted>();

/** The events of one boot, in the order of the log. */
export function predictedEventsOf({ events }: Pick<Manifest, 'events'>, boot: ManifestBoot): readonly PredictedEvent[] {
  const found = known.get(boot);
  if (found?.of === events) return found.events;
  const predicted = boot.events.map((place) => predictedEventOf(events[place] as ManifestEvent));
  known.set(boot, { of: events, events: predicted });
  return predicted;
}

function predictedEventOf({ pcr, description, origin, digests }: ManifestEvent): PredictedEvent {
  const parsed = new Map(Object.entries(digests).map(([bank, hex]) => [bank as Bank, parseHex(hex ?? '')]));
  return { pcr, description, origin: origin as EventOrigin, digests: parsed };
}
