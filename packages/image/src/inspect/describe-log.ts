// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { decodeImaList, decodeTcgLog, replayTcgLog } from '@vouchsafe/eventlog';
import type { ArtefactHead, EventLogDescription } from './description.ts';

type Head = Omit<ArtefactHead, 'kind'>;

/** @throws {EventLogError} */
export function describeEventLog(bytes: Uint8Array, head: Head): EventLogDescription {
  const log = decodeTcgLog(bytes, { quirks: ['ccel_padding'] });
  const { banks } = replayTcgLog(log, { artefact: head.label });
  return {
    ...head,
    kind: 'event-log',
    format: log.format,
    banks: log.banks.map(String),
    events: log.events.length,
    pcrs: Object.fromEntries(
      [...banks].map(([bank, { pcrs }]) => [
        String(bank),
        Object.fromEntries([...pcrs].map(([pcr, value]) => [String(pcr), toHex(value)])),
      ]),
    ),
  };
}

/** @throws {EventLogError} */
export function describeImaLog(bytes: Uint8Array, head: Head): EventLogDescription {
  const events = decodeImaList(bytes);
  return { ...head, kind: 'ima-log', format: events[0]?.type ?? 'empty', banks: ['sha1'], events: events.length };
}
