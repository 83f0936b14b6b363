// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '@vouchsafe/testing';
import { vouchsafe } from './support.ts';

/** Data of which no two blocks are the same. */
export function uniqueData(blocks: number): Uint8Array {
  const words = new Uint32Array(blocks * 1024);
  for (let i = 0, state = 1; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer);
}

export interface Image {
  readonly dir: string;
  readonly root: string;
  /** Runs a verb of `verity` in the folder. */
  readonly run: (...args: string[]) => ReturnType<typeof vouchsafe>;
  readonly read: (name: string) => Buffer;
}

/** A folder with `data`, its tree `hash`, parity `fec` and the root hash in `root`. */
export function image(t: Pick<TestContext, 'after'>, blocks: number, ...options: string[]): Image {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'data'), uniqueData(blocks));
  const run = (...args: string[]) => vouchsafe(dir, 'verity', ...args);
  const read = (name: string) => readFileSync(join(dir, name));
  const made = run('format', 'data', 'hash', '--fec-device', 'fec', '--root-hash-file', 'root', ...options);
  assert.equal(made.code, 0, made.stderr);
  return { dir, root: read('root').toString('latin1'), run, read };
}

export function overwrite(path: string, offset: number, bytes: string | Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, typeof bytes === 'string' ? Buffer.from(bytes) : bytes, 0, undefined, offset);
  closeSync(fd);
}
