// SPDX-License-Identifier: Apache-2.0
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./serve-measured.ts', import.meta.url));

export interface ServerUsage {
  /** User and system, of all threads. */
  readonly cpuMs: number;
  /** Of it in the kernel: sockets and the disk. */
  readonly systemMs: number;
  readonly rssMib: number;
}

/** A service in a process of its own. */
export interface MeasuredServer extends ServerUsage {
  readonly url: string;
  readonly ca: string;
  /** The first admin's, of a service that had none. */
  readonly token: string | undefined;
  /** From the start of the process until it listened. */
  readonly startMs: number;
  /** How far its clock is ahead of this machine's. */
  readonly aheadMs: number;
  usage(): Promise<ServerUsage>;
  /** Moves its clock forward. */
  advance(byMs: number): Promise<void>;
  close(): Promise<void>;
}

/** @param profileDir where V8's profile of it goes. */
export async function startMeasured(
  stateDir: string,
  databaseUrl: string,
  options: { readonly aheadMs?: number; readonly profileDir?: string | undefined } = {},
): Promise<MeasuredServer> {
  let { aheadMs = 0 } = options;
  const { profileDir } = options;
  const startedMs = performance.now();
  const child = fork(CHILD, [stateDir, databaseUrl, String(aheadMs)], {
    execArgv: profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`],
  });
  const answer = async (): Promise<never> => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onExit = () => reject(new Error('the measured service ended'));
    child.once('message', resolve).once('exit', onExit);
    const message = await promise;
    child.off('exit', onExit);
    return message as never;
  };
  const ask = (message: object): Promise<never> => {
    child.send(message);
    return answer();
  };
  const ready: Pick<MeasuredServer, 'url' | 'ca' | 'token' | keyof ServerUsage> = await answer();
  return {
    ...ready,
    startMs: performance.now() - startedMs,
    get aheadMs() {
      return aheadMs;
    },
    usage: () => ask({ ask: 'usage' }),
    async advance(byMs) {
      aheadMs += byMs;
      await ask({ ask: 'clock', aheadMs });
    },
    async close() {
      child.send({ ask: 'close' });
      await once(child, 'exit');
    },
  };
}
