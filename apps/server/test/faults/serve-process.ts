// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('../support/serve-child.ts', import.meta.url));

/** A service in a process of its own. */
export interface Child {
  readonly url: string;
  readonly ca: string;
  readonly token: string | undefined;
  readonly process: ChildProcess;
}

export async function startChild(stateDir: string, databaseUrl: string | undefined): Promise<Child> {
  const args = [CHILD, stateDir, ...(databaseUrl === undefined ? [] : [databaseUrl])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { ...JSON.parse(line), process: child };
}

/** As a power cut would. */
export async function kill({ process: child }: Child): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
