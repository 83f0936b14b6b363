// SPDX-License-Identifier: Apache-2.0
// What the tests of the verity verbs begin with.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@vouchsafe/testing';
import { vouchsafe } from './support.ts';

export const BLOCKS = 300;

/** Data that repeats in no block. */
export function makeData(dir: string, blocks = BLOCKS): string {
  const words = new Uint32Array(blocks * 1024);
  for (let i = 0, state = 1; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  writeFileSync(join(dir, 'data'), words);
  return 'data';
}

export function damage(path: string, offset: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, 'damage', offset);
  closeSync(fd);
}

/** A folder with data, its tree, parity, and the root hash. */
export function formatted(t: Parameters<typeof tempDir>[0]): { dir: string; root: string } {
  const dir = tempDir(t);
  makeData(dir);
  const options = ['--fec-device', 'fec', '--root-hash-file', 'root'];
  const { code, stderr } = vouchsafe(dir, 'verity', 'format', 'data', 'hash', ...options);
  assert.equal(code, 0, stderr);
  return { dir, root: readFileSync(join(dir, 'root'), 'utf8') };
}
