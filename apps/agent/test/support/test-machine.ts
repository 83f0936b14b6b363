// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  Agent,
  type AgentParts,
  folderStore,
  linuxLogs,
  localTpm,
  type MachineTpm,
  StateFolder,
} from '@vouchsafe/agent';
import { manufactureSwtpm, needsTool, type Swtpm, startSwtpm, tempDir } from '@vouchsafe/testing';
import { openSwtpm } from '@vouchsafe/tpm/node';

export const NEEDS_TPM = needsTool('swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool');

/** A machine: a manufactured TPM, logs in a folder, a state folder. */
export interface TestMachine {
  readonly swtpm: Swtpm;
  readonly tpm: MachineTpm;
  readonly root: string;
  readonly statePath: string;
  agent(parts?: Partial<AgentParts>): Agent;
  /** Puts a file under the machine's root. */
  put(path: string, contents: Uint8Array | string): void;
}

export const BOOT_ID = 'proc/sys/kernel/random/boot_id';
export const FIRMWARE_LOG = 'sys/kernel/security/tpm0/binary_bios_measurements';
export const IMA_LIST = 'sys/kernel/security/ima/binary_runtime_measurements';
export const USERSPACE_LOG = 'run/log/systemd/tpm2-measure.log';

export async function testMachine(t: TestContext): Promise<TestMachine> {
  const dir = tempDir(t);
  manufactureSwtpm(dir);
  const swtpm = await startSwtpm(t, dir);
  const root = join(dir, 'root');
  const statePath = join(dir, 'state');
  const put = (path: string, contents: Uint8Array | string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), contents);
  };
  put(BOOT_ID, '11111111-2222-4333-8444-555555555555\n');
  put(FIRMWARE_LOG, 'a firmware log');
  const tpm = localTpm(() => openSwtpm({ path: swtpm.path }));
  return {
    swtpm,
    tpm,
    root,
    statePath,
    put,
    agent: (parts = {}) =>
      new Agent({ store: folderStore(StateFolder.open(statePath)), tpm, logs: linuxLogs(root), ...parts }),
  };
}
