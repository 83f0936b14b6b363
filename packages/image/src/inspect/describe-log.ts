// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { decodeImaList, decodeLog, decodeTcgLog, type Replay, replayLogs, replayTcgLog } from '@vouchsafe/eventlog';
import type { ArtefactHead, EventLogDescription } from './description.ts';

type Head = Omit<ArtefactHead, 'kind'>;

/** @throws {EventLogError} */
export function describeEventLog(bytes: Uint8Array, head: Head): EventLogDescription {
  const log = decodeTcgLog(bytes, { quirks: ['ccel_padding'] });
  const pcrs = pcrsOf(replayTcgLog(log, { artefact: head.label }));
  const { format, banks, events } = log;
  return { ...head, kind: 'event-log', format, banks: banks.map(String), events: events.length, pcrs };
}

function pcrsOf({ banks }: Pick<Replay, 'banks'>): NonNullable<EventLogDescription['pcrs']> {
  return Object.fromEntries(
    [...banks].map(([bank, { pcrs }]) => [
      String(bank),
      Object.fromEntries([...pcrs].map(([pcr, value]) => [String(pcr), toHex(value)])),
    ]),
  );
}

/** A log of systemd, a canonical log or a launch log. @throws {EventLogError} */
export function describeOtherLog(
  bytes: Uint8Array,
  head: Head,
  kind: 'userspace-log' | 'canonical-log' | 'launch-log',
): EventLogDescription {
  const log = decodeLog(bytes);
  const banks = log.kind === 'ima' ? [log.templateHash] : log.banks;
  const format = 'format' in log ? log.format : 'json-seq';
  const pcrs = pcrsOf(replayLogs([log], { artefacts: [head.label] }));
  return { ...head, kind, format, banks: banks.map(String), events: log.events.length, pcrs };
}

/** @throws {EventLogError} */
export function describeImaLog(bytes: Uint8Array, head: Head): EventLogDescription {
  const events = decodeImaList(bytes);
  return { ...head, kind: 'ima-log', format: events[0]?.type ?? 'empty', banks: ['sha1'], events: events.length };
}
