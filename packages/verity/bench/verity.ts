// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '@vouchsafe/base';
import type { Bench, BenchCase, BenchGoal } from '@vouchsafe/testing';
import { formatFiles } from '@vouchsafe/verity/node';
import { randomBytesInto } from './random-bytes.ts';

const MIB = 1024 * 1024;
/** The launcher, so that what is measured is what a user waits for. */
const VOUCHSAFE = fileURLToPath(new URL('../../../vouchsafe', import.meta.url));
const SALT = '9e7457222290f1bac0d42ad2de2d602a87bb871c22ab70ca040bad450578a436';

/** Hash trees of random data, beside veritysetup. */
export const bench: Bench = {
  name: 'verity',
  description: 'hash trees of random data, sha256, blocks of 4096 octets, beside veritysetup',
  cases: async ({ dir, isQuick }) => [
    ...(await sizeCases(dir, isQuick ? 64 : 1024, { cpu: 0.95, wall: 1.5 })),
    ...(await sizeCases(dir, isQuick ? 128 : 4096, { cpu: 1, wall: 1.7 })),
    smallFile(dir),
    parity(dir, isQuick ? 8 : 64),
  ],
};

async function sizeCases(dir: string, sizeMib: number, least: { cpu: number; wall: number }): Promise<BenchCase[]> {
  const data = join(dir, `${sizeMib}m`);
  writeRandom(data, sizeMib * MIB);
  // Both sides verify the same tree, and each makes its own.
  const tree = `${data}.tree`;
  const { rootHash } = await formatFiles({
    dataPath: data,
    hashPath: tree,
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: 4096,
    hashBlockSize: 4096,
    hashOffset: 0,
    hasSuperblock: true,
  });
  const root = toHex(rootHash);
  const goals = (time: 'cpuMs' | 'wallMs', atLeast: number): BenchGoal[] => [
    { time, statistic: 'median', atLeast },
    { peakMibAtMost: 128 },
  ];
  const pair = (name: string, ours: string[], peer: string[], wanted: BenchGoal[]): BenchCase => ({
    name: `${name}, ${sizeMib >= 1024 ? `${sizeMib / 1024} GiB` : `${sizeMib} MiB`}`,
    ours: { kind: 'command', label: 'vouchsafe', argv: [VOUCHSAFE, 'verity', ...ours] },
    peer: { kind: 'command', label: 'veritysetup', argv: ['veritysetup', ...peer] },
    goals: wanted,
  });
  const format = ['format', data, `${data}.ours`, '--salt', SALT, '--force'];
  const peerFormat = ['format', data, `${data}.theirs`, '--salt', SALT];
  const verify = ['verify', data, tree, root];
  return [
    pair('format, one thread', [...format, '--threads', '1'], peerFormat, goals('cpuMs', least.cpu)),
    pair('format, default', format, peerFormat, goals('wallMs', least.wall)),
    pair('verify, one thread', [...verify, '--threads', '1'], verify, goals('cpuMs', least.cpu)),
    pair('verify, default', verify, verify, goals('wallMs', least.wall)),
  ];
}

function smallFile(dir: string): BenchCase {
  const data = join(dir, '4k');
  const empty = join(dir, 'empty.cjs');
  writeRandom(data, 4096);
  writeFileSync(empty, '');
  return {
    name: 'format of 4 KiB, beside the start of Node.js with an empty file',
    ours: {
      kind: 'command',
      label: 'vouchsafe',
      argv: [VOUCHSAFE, 'verity', 'format', data, `${data}.hash`, '--force'],
    },
    peer: { kind: 'command', label: 'node', argv: [process.execPath, empty] },
    goals: [{ time: 'wallMs', statistic: 'median', atMostMoreMs: 15 }],
  };
}

function parity(dir: string, sizeMib: number): BenchCase {
  const data = join(dir, 'parity');
  writeRandom(data, sizeMib * MIB);
  const options = ['--salt', SALT, '--fec-roots', '2'];
  return {
    name: `format with parity, 2 roots, ${sizeMib} MiB`,
    ours: {
      kind: 'command',
      label: 'vouchsafe',
      argv: [VOUCHSAFE, 'verity', 'format', data, `${data}.ours`, ...options, '--fec-device', `${data}.fec`, '--force'],
    },
    peer: {
      kind: 'command',
      label: 'veritysetup',
      argv: ['veritysetup', 'format', data, `${data}.theirs`, ...options, '--fec-device', `${data}.their-fec`],
    },
  };
}

/** Random enough that nothing on the way can make it smaller; zeros would be found as holes. */
function writeRandom(path: string, size: number): void {
  const chunk = new Uint8Array(Math.min(size, 16 * MIB));
  const fd = openSync(path, 'w');
  for (let at = 0; at < size; at += chunk.length) {
    randomBytesInto(chunk);
    writeSync(fd, chunk);
  }
  closeSync(fd);
  // Into the page cache, so that the first side does not pay for both.
  if (size < 64 * MIB) readFileSync(path);
}
