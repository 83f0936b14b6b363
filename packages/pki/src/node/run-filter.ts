// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PkiError } from '../error.ts';

export interface FilterOptions {
  /** Program and arguments; no shell takes part. */
  readonly command: readonly string[];
  readonly stdin: Uint8Array;
  /** Added to the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

/** Octets of standard error that are kept, for the message; the rest is read and dropped. */
const MAX_ERROR_BYTES = 2048;
/** How often a running program's output is measured. */
const WATCH_INTERVAL_MS = 50;

/**
 * Runs a program over a few octets and returns what it writes to standard output. It stays in this process's group, so
 * that it can ask for a PIN on the terminal, and Ctrl-C reaches it.
 * @throws {PkiError} 'command_failed', 'command_timeout', 'command_output'; 'io' without a place for two small files.
 */
export async function runFilter(options: FilterOptions): Promise<Uint8Array> {
  using files = new DisposableStack();
  const open = (): number => files.adopt(openNameless(), closeSync);
  const [stdin, stdout] = [open(), open()];
  // At a given offset, which leaves the descriptor's own at the start.
  onHost(() => writeSync(stdin, options.stdin, 0, options.stdin.length, 0));
  const said = await runToEnd(options, stdin, stdout);
  const output = Buffer.alloc(options.maxOutputBytes + 1);
  const size = onHost(() => readSync(stdout, output, 0, output.length, 0));
  const [program = ''] = options.command;
  if (size > options.maxOutputBytes) throw tooMuch(options, said);
  if (size === 0) {
    throw new PkiError('command_output', `${program}: expected a signature on standard output, found nothing${said}`);
  }
  return Uint8Array.from(output.subarray(0, size));
}

/** @returns what the program said on standard error, for messages. */
function runToEnd(options: FilterOptions, stdin: number, stdout: number): Promise<string> {
  const [program = '', ...args] = options.command;
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.environment };
    const child = spawn(program, args, { env, stdio: [stdin, stdout, 'pipe'] });
    const complaint: Uint8Array[] = [];
    let complaintBytes = 0;
    const said = (): string => saidText(Buffer.concat(complaint));
    const stopWatching = (): void => {
      clearTimeout(timer);
      clearInterval(watch);
    };
    /** At once: a program that is killed may leave children that hold its standard error open. */
    const fail = (error: PkiError): void => {
      stopWatching();
      child.kill('SIGKILL');
      child.stderr?.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      const problem = `expected a signature within ${options.timeoutMs} ms, found none`;
      fail(new PkiError('command_timeout', `${program}: ${problem}${said()}`));
    }, options.timeoutMs);
    const watch = setInterval(() => {
      if (fstatSync(stdout).size > options.maxOutputBytes) fail(tooMuch(options, said()));
    }, WATCH_INTERVAL_MS);

    child.on('error', (cause) => {
      fail(new PkiError('command_failed', `${program}: expected a program that starts: ${cause.message}`, { cause }));
    });
    child.stderr?.on('data', (chunk: Uint8Array) => {
      const kept = chunk.subarray(0, MAX_ERROR_BYTES - complaintBytes);
      complaintBytes += kept.length;
      complaint.push(kept);
    });
    child.on('close', (status, signal) => {
      stopWatching();
      if (status === 0) return resolve(said());
      const end = signal === null ? `exit status ${status}` : `signal ${signal}`;
      fail(new PkiError('command_failed', `${program}: expected exit status 0, found ${end}${said()}`));
    });
  });
}

function tooMuch({ command, maxOutputBytes }: FilterOptions, said: string): PkiError {
  const problem = `expected at most ${maxOutputBytes} octets on standard output, found more`;
  return new PkiError('command_output', `${command[0]}: ${problem}${said}`);
}

/**
 * A descriptor of an empty file that has no name any more. Not pipes, for which Node.js takes sockets: programs that open
 * /dev/stdin and /dev/stdout by name, as pkcs11-tool does, cannot open those.
 */
function openNameless(): number {
  const folder = onHost(() => mkdtempSync(join(tmpdir(), 'vouchsafe-sign-')));
  try {
    return onHost(() => openSync(join(folder, 'stream'), 'wx+', 0o600));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function onHost<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PkiError('io', `expected a temporary file for the command: ${reason}`, { cause });
  }
}

/** What the program said, on one line and without what a terminal would obey. */
function saidText(bytes: Buffer): string {
  const line = bytes
    .toString('utf8')
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
  return line === '' ? '' : `; it said: ${line}`;
}
