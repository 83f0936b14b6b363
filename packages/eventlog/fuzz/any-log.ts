// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { utf8 } from '@vouchsafe/base';
import {
  checkEventData,
  decodeCelLog,
  decodeDrtmLog,
  decodeImaAscii,
  decodeLog,
  decodeUserspaceLog,
  describeLog,
  diffLogs,
  EventLogError,
  parsePcrList,
  replayLogs,
} from '@vouchsafe/eventlog';
import type { FuzzTarget } from '@vouchsafe/testing';

const file = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../testdata/${name}`, import.meta.url)));

const FILES = [
  'tcg/agile.bin',
  'tcg/sha1.bin',
  'ima/templates.bin',
  'ima/templates.txt',
  'userspace/measure.json-seq',
  'cel/log.json',
  'cel/log.cbor',
  'cel/log.tlv',
  'drtm/launch.bin',
  'drtm/container.bin',
];

/** What is read by itself, whatever the bytes look like. */
const READERS: readonly ((bytes: Uint8Array) => unknown)[] = [
  (bytes) => {
    const log = decodeLog(bytes, { quirks: ['ccel_padding'] });
    describeLog(log);
    replayLogs([log]);
    diffLogs(log, log);
    for (const bank of log.banks) checkEventData(log, bank);
  },
  (bytes) => decodeUserspaceLog(bytes),
  (bytes) => decodeImaAscii(bytes),
  (bytes) => decodeCelLog(bytes, 'json'),
  (bytes) => decodeCelLog(bytes, 'cbor'),
  (bytes) => decodeCelLog(bytes, 'tlv'),
  (bytes) => decodeDrtmLog(bytes),
  (bytes) => parsePcrList(bytes),
];

/** A log of any kind, of any octets: events, or an EventLogError. Nothing that is done with the events throws. */
export const target: FuzzTarget = {
  name: 'any-log',
  seeds: () => [...FILES.map(file), utf8(`sha256:0:${'00'.repeat(32)}\n`)],
  run(bytes) {
    for (const read of READERS) {
      try {
        read(bytes);
      } catch (error) {
        if (!(error instanceof EventLogError)) throw error;
      }
    }
  },
};
