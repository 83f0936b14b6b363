// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isVouchsafeError } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';
import { type BootLog, decodeLog, EventLogError, type TcgLogQuirk } from '@vouchsafe/eventlog';

/** Octets of a log at most: an IMA list of a million entries has some 100 MB. */
const MAX_LOG_BYTES = 256 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const STANDARD_INPUT = 0;

/** A log and where it came from. */
export interface NamedLog {
  readonly path: string;
  /** As they were read, once: a pipe cannot be read twice, and a file may be another by then. */
  readonly bytes: Uint8Array;
  readonly log: BootLog;
}

/**
 * Reads a file of any kind to its end, also those of the kernel, whose size is 0; - is standard input.
 * @throws {BytesError} what the host refuses; {EventLogError} 'log_limit' above 256 MiB, before it is read where the size is known
 */
export function readLogFile(path: string): Uint8Array {
  let file: number;
  try {
    file = path === '-' ? STANDARD_INPUT : openSync(path, 'r');
  } catch (cause) {
    throw hostError(path, cause);
  }
  try {
    const { size } = fstatSync(file);
    if (size > MAX_LOG_BYTES) throw tooLarge(path);
    return readToEnd(file, path, size);
  } catch (cause) {
    if (isVouchsafeError(cause)) throw cause;
    throw hostError(path, cause);
  } finally {
    if (file !== STANDARD_INPUT) closeSync(file);
  }
}

function tooLarge(path: string): EventLogError {
  return new EventLogError('log_limit', `${path}: expected at most ${MAX_LOG_BYTES} octets, found more; is it a log?`);
}

function readToEnd(file: number, path: string, size: number): Uint8Array {
  let bytes = new Uint8Array(size > 0 ? size + 1 : CHUNK_BYTES);
  let filled = 0;
  for (;;) {
    const count = readSync(file, bytes, filled, bytes.length - filled, null);
    if (count === 0) return bytes.subarray(0, filled);
    filled += count;
    if (filled > MAX_LOG_BYTES) throw tooLarge(path);
    if (filled === bytes.length) {
      const larger = new Uint8Array(2 * bytes.length);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

/**
 * A log by its content. Filled up to the size of its area, as a TDX guest's is, it is taken as it is: what follows the last
 * event is not looked at, and a note says so.
 * @throws {BytesError} what the host refuses; {EventLogError} with the path in front
 */
export function readLog(path: string, quirks: readonly TcgLogQuirk[], note: (text: string) => void): NamedLog {
  const bytes = readLogFile(path);
  try {
    return { path, bytes, log: decodeLog(bytes, { quirks }) };
  } catch (error) {
    if (!(error instanceof EventLogError)) throw error;
    if (error.code !== 'log_padding') throw named(path, error);
    note(`${path}: filled up with 0xff after its last event, as the area of a TDX guest's log is (CCEL)`);
    return { path, bytes, log: decodeLog(bytes, { quirks: [...quirks, 'ccel_padding'] }) };
  }
}

function named(path: string, cause: EventLogError): EventLogError {
  const { code, message, event, offset } = cause;
  return Object.assign(new EventLogError(code, `${path}: ${message}`, { cause }), { event, offset });
}

/**
 * The files that arguments stand for: of a folder all files in it, by name.
 * @throws {BytesError} for what is not there
 */
export function expandPaths(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path === '-') return [path];
    try {
      if (!statSync(path).isDirectory()) return [path];
      const files = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
      if (files.length === 0)
        throw new BytesError('not_a_file', `${path}: expected a folder of logs, found no file in it`);
      return files.map(({ name }) => join(path, name)).sort();
    } catch (cause) {
      if (isVouchsafeError(cause)) throw cause;
      throw hostError(path, cause);
    }
  });
}
