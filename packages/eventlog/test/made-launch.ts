// SPDX-License-Identifier: Apache-2.0
// Logs of dynamic launches, written by hand.
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode, u32le } from '@vouchsafe/codec';
import { DRTM_EVENT_TYPES } from '@vouchsafe/eventlog';
import { tpmDigest } from '@vouchsafe/tpm';
import type { MadeEvent } from './support.ts';

export const launchEvent = (
  pcr: number,
  type: keyof typeof DRTM_EVENT_TYPES,
  measured: string,
  text = measured,
): MadeEvent => ({
  pcr,
  type: DRTM_EVENT_TYPES[type],
  data: utf8(text),
  measured: utf8(measured),
});

/** What Secure Launch logs: the map, the launch itself, then what the kernel measures between its two marks. */
export const LAUNCH: readonly MadeEvent[] = [
  { pcr: 0xff, type: DRTM_EVENT_TYPES.EVTYPE_PCRMAPPING, data: new Uint8Array(4), digest: new Uint8Array(32) },
  launchEvent(17, 'EVTYPE_HASH_START', 'the loader', ''),
  { pcr: 17, type: DRTM_EVENT_TYPES.TXT_EVTYPE_SLAUNCH_START, data: new Uint8Array(), digest: new Uint8Array(32) },
  launchEvent(18, 'TXT_EVTYPE_SLAUNCH', 'boot parameters', 'Measured boot parameters'),
  launchEvent(17, 'TXT_EVTYPE_SLAUNCH', 'command line', 'Measured Kernel command line'),
  { pcr: 17, type: DRTM_EVENT_TYPES.TXT_EVTYPE_SLAUNCH_END, data: new Uint8Array(), digest: new Uint8Array(32) },
];

/** event_log_container_t, put together by hand. */
export function container(
  events: readonly MadeEvent[],
  change: (view: DataView) => void = () => undefined,
): Uint8Array {
  const body = concatBytes(
    ...events.map(({ pcr, type, data, measured }) =>
      concatBytes(
        encode(u32le, pcr),
        encode(u32le, Number(type)),
        tpmDigest('sha1', measured ?? data),
        encode(u32le, data.length),
        data,
      ),
    ),
  );
  const head = new Uint8Array(48);
  head.set(utf8('TXT Event Container\0'), 0);
  head.set([1, 0, 1, 0], 32);
  const view = new DataView(head.buffer);
  const size = 48 + body.length + 64;
  for (const [at, value] of [
    [36, size],
    [40, 48],
    [44, 48 + body.length],
  ] as const) {
    view.setUint32(at, value, true);
  }
  change(view);
  // What follows the last event is memory that was never cleared.
  return concatBytes(head, body, new Uint8Array(64).fill(0x5a));
}
