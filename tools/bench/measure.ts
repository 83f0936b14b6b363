// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchSide, Measure } from '@vouchsafe/testing';

const MEASURE = fileURLToPath(new URL('./measure.pl', import.meta.url));

/** Numbers of wait4 and clock_gettime: Linux, syscall_64.tbl for x86, include/uapi/asm-generic/unistd.h for arm64. */
const SYSTEM_CALLS: Readonly<Record<string, readonly [wait4: number, clockGettime: number]>> = {
  x64: [61, 228],
  arm64: [260, 113],
};

/** What a batch of calls lasts at least; the clock's step and the loop vanish in it. */
const BATCH_MS = 50;
const QUICK_BATCH_MS = 5;

export class MeasureError extends Error {}

/** Measures one run of a side; `dir` takes a file that goes again. */
export type Meter = () => Promise<Measure>;

/** Prepares a side. For a function that is finding how many calls make a batch. */
export async function meterOf(side: BenchSide, dir: string, isQuick: boolean): Promise<Meter> {
  if (side.kind === 'function') {
    const batchMs = isQuick ? QUICK_BATCH_MS : BATCH_MS;
    let calls = 1;
    while ((await timeCalls(side.run, calls)).wallMs * calls < batchMs) calls *= 2;
    return () => timeCalls(side.run, calls);
  }
  if (side.kind === 'tool') return async () => side.parse(await run(side.argv));
  return () => timeCommand(side.argv, dir);
}

/** The program of a side that is not on this machine. */
export function missingTool(side: BenchSide): string | undefined {
  if (side.kind === 'function') return undefined;
  const [program = ''] = side.argv;
  if (program.includes('/')) return isExecutable(program) ? undefined : program;
  const folders = searchPath().split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, program))) ? undefined : program;
}

async function timeCalls(call: () => unknown, calls: number): Promise<{ cpuMs: number; wallMs: number }> {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) {
    const result = call();
    if (result instanceof Promise) await result;
  }
  const wallNs = Number(process.hrtime.bigint() - start);
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1e3 / calls, wallMs: wallNs / 1e6 / calls };
}

async function timeCommand(argv: readonly string[], dir: string): Promise<Measure> {
  const numbers = process.platform === 'linux' ? SYSTEM_CALLS[process.arch] : undefined;
  if (numbers === undefined)
    throw new MeasureError(`commands are measured on Linux x64 and arm64, not on ${process.arch}`);
  const report = join(dir, '.measure');
  await run(['perl', MEASURE, report, ...numbers.map(String), ...argv]);
  const measure = JSON.parse(readFileSync(report, 'utf8')) as Measure;
  rmSync(report);
  return measure;
}

/** Runs a command and gives its standard output; any exit code but 0 is an error. */
function run(argv: readonly string[]): Promise<string> {
  const [program = '', ...args] = argv;
  // It adds 40 ms to each start of node where it is set.
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  const env = { ...inherited, PATH: searchPath() };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.once('error', (cause) => reject(new MeasureError(`${program} did not start`, { cause })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new MeasureError(`${argv.join(' ')} ended with ${signal ?? code}: ${stderr.trim()}`));
    });
  });
}

/** Debian puts administrators' tools in sbin, which is not on every user's PATH. */
function searchPath(): string {
  return [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
