// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { bytes, CodecError, constant, decodeAt, Reader, struct, u8, u32le, zeros } from '@vouchsafe/codec';
import { EventLogError, rethrowInEvent } from '../error.ts';
import type { LogLimits } from '../limits.ts';
import type { TcgEvent } from '../tcg/log.ts';
import { tcgPcrEvent } from '../tcg/structures.ts';

/** event_log_container_t, of TPM 1.2. Intel TXT Software Development Guide, appendix F.1. */
export const txtEventLogContainer = struct('TXT Event Log Container', {
  signature: constant(bytes(20), ascii('TXT Event Container\0')),
  reserved: zeros(12),
  containerVersionMajor: constant(u8, 1),
  containerVersionMinor: u8,
  pcrEventVersionMajor: constant(u8, 1),
  pcrEventVersionMinor: u8,
  containerSize: [u32le, 'octets of the container, which was allocated before the launch'],
  pcrEventsOffset: [u32le, 'octets from the start to the first event'],
  nextEventOffset: [u32le, 'octets from the start to where the next event would go'],
});

const NO_SCOPE = { get: () => undefined };
const MIN_OFFSET = 48;

/**
 * The events of a TXT event container. What lies behind nextEventOffset is not looked at: it is memory that no event was
 * put into.
 * @throws {EventLogError} 'log_malformed', 'log_limit'
 */
export function decodeTxtContainer(input: Uint8Array, limits: LogLimits): TcgEvent[] {
  const { containerSize, pcrEventsOffset, nextEventOffset } = header(input);
  if (
    containerSize > input.length ||
    pcrEventsOffset < MIN_OFFSET ||
    nextEventOffset < pcrEventsOffset ||
    nextEventOffset > containerSize
  ) {
    const found = `${pcrEventsOffset}, ${nextEventOffset}, ${containerSize} and ${input.length} octets`;
    throw new EventLogError('log_malformed', `expected the offsets to rise within the container, found ${found}`, {
      offset: 36,
    });
  }
  const r = new Reader(input.subarray(0, nextEventOffset));
  const codec = tcgPcrEvent(limits.maxEventBytes);
  r.pos = pcrEventsOffset;
  const events: TcgEvent[] = [];
  while (r.pos < r.end) {
    const [index, offset] = [events.length, r.pos];
    if (index >= limits.maxEvents) {
      throw new EventLogError('log_limit', `expected at most ${limits.maxEvents} events, found more`, {
        event: index,
        offset,
      });
    }
    try {
      const { pcrIndex, eventType, digest, event } = codec.read(r, NO_SCOPE);
      const digests = [{ bank: 'sha1', digest }] as const;
      events.push({ source: 'tcg', index, offset, pcr: pcrIndex, type: eventType, digests, data: event });
    } catch (error) {
      rethrowInEvent(index, codec.name, error);
    }
  }
  return events;
}

function header(input: Uint8Array) {
  try {
    return decodeAt(txtEventLogContainer, input).value;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new EventLogError('log_malformed', error.message, { offset: error.offset, cause: error });
  }
}
