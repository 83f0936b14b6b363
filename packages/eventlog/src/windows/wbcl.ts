// SPDX-License-Identifier: Apache-2.0
import { CodecError, decode, Reader, rest, sized, struct, u32le, utf16le } from '@vouchsafe/codec';
import { SIPA_AGGREGATION, SIPA_EVENTS, SIPA_TEXTS } from './sipa-events.ts';

/** One event of Windows' log; an EV_EVENT_TAG holds a tree of them. */
export interface SipaEvent {
  readonly type: number;
  /** SIPAEVENT_ and this; undefined for a number without a name here. */
  readonly name: string | undefined;
  /** Of an aggregation its parts, else none. */
  readonly events: readonly SipaEvent[];
  /** Empty for an aggregation. */
  readonly value: Uint8Array;
  /** The value, where it is known to be a text. */
  readonly text?: string;
}

const MAX_EVENTS = 16_384;
const MAX_DEPTH = 8;
const MAX_VALUE_BYTES = 4 * 1024 * 1024;
const NO_SCOPE = { get: () => undefined };

/** TCG_PCClientTaggedEventStruct, as Windows nests it. Windows SDK, wbcl.h. */
export const sipaEvent = struct('TCG_PCClientTaggedEventStruct', {
  eventId: u32le,
  eventData: sized(u32le, rest, MAX_VALUE_BYTES),
});

/**
 * The events in the data of one of Windows' EV_EVENT_TAG events.
 * @throws {CodecError} for data that is not whole events, more than 16384 of them or more than 8 levels
 */
export function decodeWbcl(data: Uint8Array): SipaEvent[] {
  return read(data, 0, { left: MAX_EVENTS });
}

function read(data: Uint8Array, depth: number, budget: { left: number }): SipaEvent[] {
  if (depth > MAX_DEPTH) throw new CodecError('limit', 0, `more than ${MAX_DEPTH} levels`);
  const r = new Reader(data);
  const events: SipaEvent[] = [];
  while (r.pos < r.end) {
    if (--budget.left < 0) throw new CodecError('limit', r.pos, `more than ${MAX_EVENTS} events`);
    const { eventId: type, eventData } = sipaEvent.read(r, NO_SCOPE);
    const name = SIPA_EVENTS[type];
    if ((type & SIPA_AGGREGATION) !== 0) {
      events.push({ type, name, events: read(eventData, depth + 1, budget), value: eventData.subarray(0, 0) });
      continue;
    }
    const isText = name !== undefined && SIPA_TEXTS.has(name) && eventData.length % 2 === 0;
    const text = isText ? decode(utf16le(rest), eventData).replace(/\0+$/, '') : undefined;
    events.push({ type, name, events: [], value: eventData, ...(text === undefined ? {} : { text }) });
  }
  return events;
}

/** True for a tag of Windows' log: an aggregation, or an event with a name here. */
export function isSipaTag(tag: number): boolean {
  return Object.hasOwn(SIPA_EVENTS, tag);
}
