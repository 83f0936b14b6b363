// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { createPrimary, execute, flush, readHandles, srkTemplate, TPM_RH, tpm2EvictControl } from '@vouchsafe/tpm';
import { connected } from './tpm.ts';

export const NEEDS = needsTool('swtpm', 'tpm2', 'openssl');
export const SRK = 0x8100_0001;

/** A TPM with a persistent storage root key, files in its folder, and the tools to run there. */
export async function workshop(t: Parameters<typeof tempDir>[0] & Parameters<typeof startSwtpm>[0]) {
  const swtpm = await startSwtpm(t, tempDir(t));
  await connected(swtpm, async (tpm) => {
    const srk = await createPrimary(tpm, { template: srkTemplate('ecc') });
    await execute(tpm, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle: srk, persistentHandle: SRK });
    await flush(tpm, srk);
  });
  return {
    swtpm,
    read: (name: string): Uint8Array => Uint8Array.from(readFileSync(join(swtpm.dir, name))),
    write: (name: string, bytes: Uint8Array): void => writeFileSync(join(swtpm.dir, name), bytes),
    /** Runs a tool, then drops what it left loaded: there is no resource manager. */
    tool: async (line: string): Promise<Uint8Array> => {
      const [name = '', ...args] = line.split(' ');
      const output = await swtpm.tool(name, ...args);
      await connected(swtpm, async (tpm) => {
        for (const handle of await readHandles(tpm, 'transient')) await flush(tpm, handle);
      });
      return output;
    },
  };
}
