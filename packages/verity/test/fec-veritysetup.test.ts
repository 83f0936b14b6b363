// SPDX-License-Identifier: Apache-2.0
// Internal: imports the error correction's own files. Parity and repair against veritysetup itself.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import { needsTool, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { correctBlocks } from '../src/fec/fec-correct.ts';
import { assertSame, inputOf, parityOf, type Sample, sample, stream } from './fec-support.ts';

interface Run {
  readonly blockSize: number;
  readonly roots: number;
  readonly dataBlocks: number;
  /** Octets of the data file after the data blocks. */
  readonly dataTail?: number;
  readonly hashOffset?: number;
  /** Octets the hash file has before veritysetup writes to it. */
  readonly oldHashSize?: number;
  readonly noSuperblock?: boolean;
  readonly format?: number;
  readonly algorithm?: string;
  /** Data, tree and, with fecOffset, parity in one file of this size. */
  readonly oneFileSize?: number;
  readonly fecOffset?: number;
}

/** Lets veritysetup write tree and parity, and reads back what it wrote. */
function veritysetup(dir: string, run: Run): Sample {
  const { blockSize, roots, dataBlocks, hashOffset = 0 } = run;
  const paths = { data: join(dir, 'data'), hash: join(dir, 'hash'), parity: join(dir, 'fec') };
  if (run.oneFileSize !== undefined) {
    paths.hash = paths.data;
    if (run.fecOffset !== undefined) paths.parity = paths.data;
  }
  const dataSize = run.oneFileSize ?? dataBlocks * blockSize + (run.dataTail ?? 0);
  writeFileSync(paths.data, stream(roots, dataSize));
  if (run.oldHashSize !== undefined) writeFileSync(paths.hash, stream(roots + 1, run.oldHashSize));
  const options = [
    `--data-block-size=${blockSize}`,
    `--hash-block-size=${blockSize}`,
    `--data-blocks=${dataBlocks}`,
    `--hash-offset=${hashOffset}`,
    `--fec-device=${paths.parity}`,
    `--fec-roots=${roots}`,
    `--fec-offset=${run.fecOffset ?? 0}`,
    `--format=${run.format ?? 1}`,
    `--hash=${run.algorithm ?? 'sha256'}`,
    `--salt=${'5a'.repeat(roots)}`,
    ...(run.noSuperblock ? ['--no-superblock'] : []),
  ];
  execFileSync('veritysetup', ['format', paths.data, paths.hash, ...options], { stdio: 'pipe' });
  const files = { data: paths.data, hash: paths.hash, parity: paths.parity };
  const [data, hash, parity] = Object.values(files).map((path) => new Uint8Array(readFileSync(path)));
  const superblock = run.noSuperblock ? 0 : 512;
  return sample(
    JSON.stringify(run),
    { data: data!, hash: hash!, parity: parity!.subarray(run.fecOffset ?? 0) },
    {
      blockSize,
      roots,
      dataBlocks,
      treeOffsetBytes: Math.ceil((hashOffset + superblock) / blockSize) * blockSize,
      ...(paths.parity === paths.hash && run.fecOffset !== undefined ? { fecOffsetBytes: run.fecOffset } : {}),
    },
  );
}

const runs: readonly Run[] = [
  { blockSize: 4096, roots: 2, dataBlocks: 1 },
  { blockSize: 4096, roots: 2, dataBlocks: 253 },
  { blockSize: 512, roots: 24, dataBlocks: 231 },
  { blockSize: 512, roots: 3, dataBlocks: 2000 },
  { blockSize: 1024, roots: 4, dataBlocks: 700, format: 0, algorithm: 'sha1' },
  { blockSize: 2048, roots: 5, dataBlocks: 260, algorithm: 'sha512' },
  { blockSize: 512, roots: 8, dataBlocks: 1100, noSuperblock: true },
  { blockSize: 4096, roots: 17, dataBlocks: 100, hashOffset: 8192 },
  { blockSize: 4096, roots: 9, dataBlocks: 100, hashOffset: 4608 },
  { blockSize: 1024, roots: 12, dataBlocks: 40, dataTail: 3000 },
  { blockSize: 1024, roots: 13, dataBlocks: 90, oldHashSize: 300_000 },
  { blockSize: 1024, roots: 6, dataBlocks: 90, oldHashSize: 30_001, hashOffset: 2048 },
  { blockSize: 1024, roots: 7, dataBlocks: 90, oldHashSize: 20_000, noSuperblock: true, hashOffset: 5120 },
  { blockSize: 4096, roots: 2, dataBlocks: 50, oneFileSize: 500_000, hashOffset: 204_800 },
  { blockSize: 4096, roots: 2, dataBlocks: 50, oneFileSize: 500_000, hashOffset: 204_800, noSuperblock: true },
  { blockSize: 512, roots: 10, dataBlocks: 50, oneFileSize: 60_000, hashOffset: 25_600, fecOffset: 51_200 },
  { blockSize: 4096, roots: 2, dataBlocks: 30, oneFileSize: 500_000, hashOffset: 163_840, fecOffset: 409_600 + 512 },
  { blockSize: 65536, roots: 2, dataBlocks: 9 },
];

async function crossCheck(dir: string, run: Run): Promise<void> {
  const written = veritysetup(dir, run);
  const ours = await parityOf(written.geometry, inputOf(written));
  assertSame(ours, written.parity.subarray(0, ours.length), written.name);
  // Where parity has its file to itself, veritysetup writes nothing else there.
  if (run.fecOffset === undefined) assert.equal(written.parity.length, ours.length);
}

for (const run of runs) {
  test(`parity is as veritysetup writes it: ${JSON.stringify(run)}`, needsTool('veritysetup'), async (t) => {
    await crossCheck(tempDir(t), run);
  });
}

test('parity is as veritysetup writes it, for any options', needsTool('veritysetup'), async (t) => {
  const anyRun: fc.Arbitrary<Run> = fc
    .record({
      blockSize: fc.constantFrom(512, 1024, 2048, 4096),
      roots: fc.integer({ min: 2, max: 24 }),
      dataBlocks: fc.integer({ min: 2, max: 600 }),
      dataTail: fc.nat({ max: 5000 }),
      hashOffsetSectors: fc.nat({ max: 40 }),
      oldHashSize: fc.nat({ max: 100_000 }),
      noSuperblock: fc.boolean(),
    })
    .map(({ hashOffsetSectors, ...rest }) => ({
      ...rest,
      // Without a superblock the tree is where the offset says, which has to be a block's.
      hashOffset: hashOffsetSectors * (rest.noSuperblock ? rest.blockSize : 512),
    }));
  await fc.assert(
    fc.asyncProperty(anyRun, (run) => crossCheck(tempDir(t), run)),
    { numRuns: 12 },
  );
});

test('veritysetup refuses what has no layout', needsTool('veritysetup'), (t) => {
  const dir = tempDir(t);
  const format = (...options: string[]) =>
    execFileSync('veritysetup', ['format', 'data', 'hash', '--fec-device=fec', ...options], {
      cwd: dir,
      stdio: 'pipe',
    });
  writeFileSync(join(dir, 'data'), stream(1, 65536));
  assert.doesNotThrow(() => format('--fec-roots=24'));
  for (const roots of [1, 25]) assert.throws(() => format(`--fec-roots=${roots}`));
  assert.throws(() => format('--data-block-size=4096', '--hash-block-size=1024'));
});

test('veritysetup finds as many errors, and accepts the repaired image', needsTool('veritysetup'), (t) => {
  const dir = tempDir(t);
  const [data, hash, fec] = ['data', 'hash', 'fec'].map((name) => join(dir, name)) as [string, string, string];
  const [dataBlocks, blockSize, roots] = [700, 512, 4];
  const original = stream(99, dataBlocks * blockSize);
  writeFileSync(data, original);
  const options = ['--data-block-size=512', '--hash-block-size=512', `--fec-device=${fec}`, `--fec-roots=${roots}`];
  const made = execFileSync('veritysetup', ['format', data, hash, ...options], { encoding: 'utf8', stdio: 'pipe' });
  const rootHash = /Root hash:\s*([0-9a-f]+)/.exec(made)?.[1] ?? '';
  const verify = () => spawnSync('veritysetup', ['verify', data, hash, rootHash, ...options], { encoding: 'utf8' });
  const tree = new Uint8Array(readFileSync(hash));
  const goodTree = tree.slice();

  const spoilt = original.slice();
  const damage = [3, 1000, 1001, 20_000, 200_000, original.length - 1];
  for (const offset of damage) spoilt[offset]! ^= 0x81;
  spoilt.fill(0, 50 * blockSize, 51 * blockSize);
  tree[512 + 700]! ^= 4;
  writeFileSync(data, spoilt);
  writeFileSync(hash, tree);
  const verdict = verify();
  assert.match(verdict.stderr, /Found \d+ repairable errors/);

  const parity = new Uint8Array(readFileSync(fec));
  const layout = sample('', { data: spoilt, hash: tree, parity }, { blockSize, roots, treeOffsetBytes: 512 });
  const { geometry } = layout;
  const all = Array.from({ length: geometry.inputBlocks }, (_, block) => block);
  const sources = { ...inputOf(layout), parity: { source: memorySource(parity), offsetBytes: 0 } };
  let changedBytes = 0;
  for (const candidate of correctBlocks(geometry, sources, { wanted: all })) {
    changedBytes += candidate.changedBytes;
    if (candidate.block < dataBlocks) spoilt.set(candidate.bytes, candidate.block * blockSize);
    else tree.set(candidate.bytes, 512 + (candidate.block - dataBlocks) * blockSize);
  }
  assert.equal(changedBytes, Number(/Found (\d+) repairable/.exec(verdict.stderr)?.[1]));
  assert.equal(Buffer.compare(spoilt, original), 0);
  assert.equal(Buffer.compare(tree, goodTree), 0);
  writeFileSync(data, spoilt);
  writeFileSync(hash, tree);
  assert.deepEqual([verify().status, verify().stderr], [0, '']);
});
