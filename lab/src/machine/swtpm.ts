// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../error.ts';
import { Child } from './child.ts';

const START_TIMEOUT_MS = 10_000;

/** A software TPM for one machine. */
export interface RunningTpm {
  /** Unix socket of the control channel, for QEMU. */
  readonly socketPath: string;
  stop(): Promise<void>;
}

/**
 * Starts swtpm.
 * @param stateDir where the TPM keeps what survives a boot; made when it is not there.
 * @param workDir for the socket: a short path, as Unix sockets take 107 octets.
 */
export async function startTpm(stateDir: string, workDir: string): Promise<RunningTpm> {
  mkdirSync(stateDir, { recursive: true });
  const socketPath = join(workDir, 'tpm');
  // Its options are lists with commas, which a folder's name may have: it gets a name of ours for it.
  const state = join(workDir, 'tpm-link');
  symlinkSync(resolve(stateDir), state);
  const child = Child.start('swtpm', [
    ...['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--ctrl', `type=unixio,path=${socketPath}`],
    ...['--log', `file=${join(workDir, 'swtpm.log')},level=1`, '--flags', 'not-need-init', '--terminate'],
  ]);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(socketPath)) {
    if (child.hasExited || Date.now() > deadline) {
      await child.stop();
      const said = child.complaint === '' ? 'nothing; is it installed?' : child.complaint;
      throw new LabError('tool_failed', `swtpm did not start on the state in ${stateDir}; it said: ${said}`);
    }
    await sleep(5);
  }
  return { socketPath, stop: () => child.stop() };
}
