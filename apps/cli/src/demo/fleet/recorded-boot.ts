// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogSources } from '@vouchsafe/agent';
import { parsePcrList } from '@vouchsafe/eventlog';
import type { PcrValues } from './simulated-tpm.ts';

/** A boot as a machine told of it: what its TPM's PCRs held, and its logs. */
export interface RecordedBoot {
  readonly pcrs: PcrValues;
  readonly logs: LogSources;
}

/** @param folder as `agent attest --evidence` writes it, with the logs whole. */
export function readRecordedBoot(folder: string): RecordedBoot {
  const file = (name: string): Uint8Array | undefined =>
    existsSync(join(folder, name)) ? new Uint8Array(readFileSync(join(folder, name))) : undefined;
  const listed = parsePcrList(readFileSync(join(folder, 'quote.pcrs')));
  const [firmware, userspace, ima] = [file('firmware.log'), file('userspace.log'), file('ima.log')];
  return {
    pcrs: new Map(listed.filter(({ bank }) => bank === 'sha256').map(({ pcr, value }) => [pcr, value])),
    logs: {
      readBootId: () => 'recorded',
      readFirmware: () => firmware,
      readUserspace: () => userspace,
      readLaunch: () => undefined,
      readIma: (offset, maxBytes) =>
        ima === undefined ? undefined : { offset, bytes: ima.subarray(offset, offset + maxBytes) },
    },
  };
}
