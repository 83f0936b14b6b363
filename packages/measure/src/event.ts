// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import type { Bank, EventOrigin, PredictedEvent } from '@vouchsafe/manifest';
import { digestsOf, digestsOfSource } from './digests.ts';

/** What is said of an event beside its digests. */
export interface EventText {
  readonly pcr: number;
  readonly description: string;
  readonly origin: EventOrigin;
}

/** An event of octets in memory. */
export function eventOf(banks: readonly Bank[], text: EventText, octets: Uint8Array): PredictedEvent {
  return { ...text, digests: digestsOf(banks, octets) };
}

/** The same of a source, which is read once. */
export function eventOfSource(banks: readonly Bank[], text: EventText, source: ByteSource): PredictedEvent {
  return { ...text, digests: digestsOfSource(banks, source) };
}
