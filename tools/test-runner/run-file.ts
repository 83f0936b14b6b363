// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileResult, TestOutcome } from './outcome.ts';
import type { ReportLine } from './reporter.ts';

const REPORTER = fileURLToPath(new URL('./reporter.ts', import.meta.url));

/** Of what a file prints, this much is kept for the report. */
const MAX_OUTPUT_CHARS = 64 * 1024;

const running = new Set<ChildProcess>();

/** Ends the test files that run now, with all that they started. */
export function stopRunningFiles(): void {
  for (const child of running) killGroup(child);
}

// The child leads a process group of its own: a test's grandchildren end with it, and cannot hold its pipes open.
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has just ended by itself.
  }
}

/**
 * Runs one test file in a process of its own. node:test's own run() is not used because it neither ends a file that
 * loops without returning to the event loop nor the processes that a file leaves behind.
 */
export async function runTestFile(root: string, file: string, timeoutMs: number): Promise<FileResult> {
  const dir = mkdtempSync(join(tmpdir(), 'vouchsafe-run-'));
  const report = join(dir, 'report');
  try {
    const start = performance.now();
    const end = await runChild(root, file, report, timeoutMs);
    const { outcomes, isComplete } = readReport(file, report);
    const problem = problemOf(end, timeoutMs, isComplete, outcomes);
    if (problem !== undefined) outcomes.push({ file, name: [], status: 'failed', detail: problem });
    return { file, outcomes, output: end.output, wallMs: performance.now() - start };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface ChildEnd {
  readonly output: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly hasTimedOut: boolean;
}

function runChild(root: string, file: string, report: string, timeoutMs: number): Promise<ChildEnd> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // set when this runs inside a test itself
  const args = ['--test-reporter', REPORTER, '--test-reporter-destination', report, join(root, file)];
  const child = spawn(process.execPath, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  const collect = (chunk: string): void => {
    if (output.length < MAX_OUTPUT_CHARS) output += chunk;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  let hasTimedOut = false;
  const timer = setTimeout(() => {
    hasTimedOut = true;
    killGroup(child);
  }, timeoutMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // What the file left running would keep the pipes open, and the next file from starting.
    child.once('exit', () => killGroup(child));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ output, code, signal, hasTimedOut });
    });
  });
}

/** Why the file failed as a whole, beside its tests. A failed test makes the exit code 1 by itself. */
function problemOf(
  { code, signal, hasTimedOut }: ChildEnd,
  timeoutMs: number,
  isComplete: boolean,
  outcomes: readonly TestOutcome[],
): string | undefined {
  if (hasTimedOut) return `not done after ${timeoutMs / 1000} s, ended`;
  if (signal !== null) return `ended by ${signal}`;
  if (code !== 0 && !outcomes.some(({ status }) => status === 'failed')) return `exit code ${code}`;
  return isComplete ? undefined : 'no result: it holds no test, or its process ended before its tests did';
}

function readReport(file: string, report: string): { outcomes: TestOutcome[]; isComplete: boolean } {
  let text: string;
  try {
    text = readFileSync(report, 'utf8');
  } catch {
    text = ''; // the file failed before node:test opened its report
  }
  // A killed process may leave the last line unfinished.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const outcomes: TestOutcome[] = [];
  let isComplete = false;
  for (const line of lines.filter((l) => l !== '').map((l) => JSON.parse(l) as ReportLine)) {
    if (line.kind === 'end') isComplete = true;
    else outcomes.push({ file, name: line.name, status: line.status, detail: line.detail });
  }
  return { outcomes, isComplete };
}
