// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { decodeImaEntry, decodeImaList, EventLogError, replayIma } from '@vouchsafe/eventlog';
import type { FuzzTarget } from '@vouchsafe/testing';

/** An IMA list of any octets: entries, or an EventLogError. Nothing that is done with the entries throws. */
export const target: FuzzTarget = {
  name: 'ima-list',
  seeds: () => [Uint8Array.from(readFileSync(new URL('../testdata/ima/templates.bin', import.meta.url)))],
  run(bytes) {
    try {
      const events = decodeImaList(bytes);
      for (const event of events) decodeImaEntry(event);
      replayIma(events, { bank: 'sha1' });
      replayIma(events, { bank: 'sha256', padding: 'sha1_padded' });
    } catch (error) {
      if (!(error instanceof EventLogError)) throw error;
    }
  },
};
