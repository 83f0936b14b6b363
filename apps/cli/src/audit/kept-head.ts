// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { OutputFile } from '@vouchsafe/bytes/node';
import { readSmallFile } from '../parse.ts';

/** Its file, beside that of the service. */
export const KEPT_HEAD = 'audit-head.json';

/** What an auditor keeps from one check to the next: with it, a log that was made anew shows. */
export interface KeptHead {
  /** The log's key: 'NAME+ID+KEY' (C2SP signed-note). */
  readonly key: string;
  /** The newest head that held: C2SP tlog-checkpoint. */
  readonly head: string;
}

/** Undefined when there is no file yet. @throws {BytesError} 'out_of_range' for a file that is none, and what the host refuses. */
export function readKeptHead(path: string): KeptHead | undefined {
  if (!existsSync(path)) return undefined;
  const { key, head } = parseObject(path);
  if (typeof key === 'string' && typeof head === 'string') return { key, head };
  throw malformed(path);
}

/** Whole or not at all. @throws {BytesError} */
export function writeKeptHead(path: string, { key, head }: KeptHead): void {
  using file = OutputFile.create(path, { force: true });
  file.write(0, utf8(`${JSON.stringify({ key, head }, null, 2)}\n`));
  file.commit();
}

function parseObject(path: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(parseUtf8(readSmallFile(path, 1024 * 1024))) ?? {}) as Record<string, unknown>;
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TextError) throw malformed(path);
    throw cause;
  }
}

/** It is never replaced by a new one: then a log that was made anew would not show. */
const malformed = (path: string): BytesError =>
  new BytesError(
    'out_of_range',
    `${path}: expected what audit verify kept there, found other contents; name another file with --head`,
  );
