// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import {
  checkEventData,
  checkSeparators,
  decodeEventData,
  decodeTcgLog,
  EventLogError,
  replayTcgLog,
} from '@vouchsafe/eventlog';
import type { FuzzTarget } from '@vouchsafe/testing';

const file = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../testdata/${name}`, import.meta.url)));

/** A firmware log of any octets: events, or an EventLogError. Nothing that is done with the events throws. */
export const target: FuzzTarget = {
  name: 'tcg-log',
  seeds: () => [file('tcg/agile.bin'), file('tcg/sha1.bin')],
  run(bytes) {
    try {
      const log = decodeTcgLog(bytes, { quirks: ['ccel_padding'] });
      for (const event of log.events) decodeEventData(event);
      replayTcgLog(log);
      checkSeparators(log);
      for (const bank of log.banks) checkEventData(log, bank);
    } catch (error) {
      if (!(error instanceof EventLogError)) throw error;
    }
  },
};
