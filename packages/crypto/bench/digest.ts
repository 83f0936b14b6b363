// SPDX-License-Identifier: Apache-2.0
import { digest, digestWriter } from '@vouchsafe/crypto';
import type { Bench, Measure } from '@vouchsafe/testing';

const BLOCK_SIZE = 4096;
const block = new Uint8Array(BLOCK_SIZE).fill(0x5a);
const tree = new Uint8Array(32);
const write = digestWriter('sha256', tree);

const openssl = {
  kind: 'tool',
  label: 'openssl speed',
  argv: ['openssl', 'speed', '-mr', '-seconds', '1', '-bytes', String(BLOCK_SIZE), 'sha256'],
  parse: parseSpeed,
} as const;

/** Digests of one dm-verity block: the limit of what hashing a tree can reach. */
export const bench: Bench = {
  name: 'crypto',
  description: 'SHA-256 of blocks of 4096 bytes, beside the library alone',
  cases: [
    {
      name: 'into a buffer of its own',
      ours: { kind: 'function', label: 'digest', run: () => digest('sha256', block) },
      peer: openssl,
    },
    {
      name: 'into a tree',
      ours: { kind: 'function', label: 'digestWriter', run: () => write(block, 0) },
      peer: openssl,
    },
  ],
};

/**
 * The line `+F:index:name:bytes per second of CPU time` of `openssl speed -mr` (apps/speed.c, print_result).
 * It counts user time alone.
 */
function parseSpeed(stdout: string): Measure {
  const rate = /^\+F:\d+:[^:]+:([\d.]+)/m.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`openssl speed: expected a line "+F:…", got ${stdout}`);
  return { cpuMs: (BLOCK_SIZE / Number(rate)) * 1000 };
}
