// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { bytesEqual, type LongWork, type Progress } from '@vouchsafe/base';
import { tempDir } from '@vouchsafe/testing';
import { treeLayout } from '@vouchsafe/verity';
import { formatFiles, type RepairFilesRequest, repairFiles } from '@vouchsafe/verity/node';
import fc from 'fast-check';
import { stream } from './fec-support.ts';

const ROOTS = 4;
const BLOCKS = 1200;
const DATA = stream(31, BLOCKS * 512);

async function image(t: Parameters<typeof tempDir>[0]) {
  const dir = tempDir(t);
  const [dataPath, hashPath, fecPath] = ['data', 'hash', 'fec'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(dataPath, DATA);
  const fec = { path: fecPath, offset: 0, roots: ROOTS };
  const blockSizes = { dataBlockSize: 512, hashBlockSize: 512 };
  const rest = { hashType: 1, algorithm: 'sha256', hashOffset: 0, hasSuperblock: true } as const;
  const made = await formatFiles({ dataPath, hashPath, fec, ...blockSizes, ...rest });
  const hash = new Uint8Array(readFileSync(hashPath));
  const layout = treeLayout(made.parameters, made.place);
  const tree = { hashOffset: 0, hasSuperblock: true } as const;
  const repair = (outputs: Partial<RepairFilesRequest> = {}, work: LongWork = {}) =>
    repairFiles({ dataPath, hashPath, tree, rootHash: made.rootHash, fec, ...outputs }, work);
  const restored = () =>
    bytesEqual(new Uint8Array(readFileSync(dataPath)), DATA) &&
    bytesEqual(new Uint8Array(readFileSync(hashPath)), hash);
  return { made, hash, layout, dataPath, hashPath, fecPath, repair, restored };
}

test('nothing damaged: nothing written', async (t) => {
  const { repair, restored } = await image(t);
  const { after, repairedBlocks, changedBytes, repairedData } = await repair();
  assert.deepEqual([after.isGood, repairedBlocks, changedBytes, repairedData], [true, 0, 0, []]);
  assert.ok(restored());
});

test('damage within the bounds of the code is mended byte for byte, and told by number', async (t) => {
  const { hash, layout, dataPath, hashPath, repair, restored, made } = await image(t);
  const rounds = made.fec!.rounds;
  // Whole blocks, as many in a round as there are roots; the round decides which blocks share codewords. With the top
  // of the tree damaged as well nothing names the others, and one lost block costs two roots.
  const anyDamage = fc
    .tuple(fc.uniqueArray(fc.nat(rounds - 1), { minLength: 1, maxLength: 3 }), fc.nat(), fc.boolean())
    .map(([chosen, from, top]) => ({
      blocks: chosen.flatMap((round) =>
        Array.from({ length: top ? 1 : ROOTS }, (_, i) => ((from + i * 7) % 200) * rounds + round),
      ),
      top,
    }));
  await fc.assert(
    fc.asyncProperty(anyDamage, async ({ blocks, top }) => {
      const [data, tree] = [DATA.slice(), hash.slice()];
      const damaged = new Set(blocks.filter((block) => block < BLOCKS));
      for (const block of damaged) for (let i = 0; i < 512; i++) data[block * 512 + i]! ^= 0x55 + (block & 7);
      if (top) tree[layout.levels.at(-1)!.offset + 9]! ^= 1;
      writeFileSync(dataPath, data);
      writeFileSync(hashPath, tree);
      const { after, repairedData, repairedHash, repairedBlocks } = await repair();
      assert.ok(after.isGood && restored());
      assert.deepEqual(
        repairedData,
        [...damaged].sort((a, b) => a - b),
      );
      assert.deepEqual(repairedHash.at(-1), top ? [0] : []);
      assert.equal(repairedBlocks, damaged.size + (top ? 1 : 0));
    }),
    { numRuns: 25 },
  );
});

test('damage in all levels of the tree is mended from the top down', async (t) => {
  const { hash, layout, hashPath, repair, restored } = await image(t);
  const tree = hash.slice();
  for (const { offset } of layout.levels) tree.fill(0xaa, offset, offset + 512);
  writeFileSync(hashPath, tree);
  const report = await repair();
  assert.ok(report.after.isGood && restored());
  assert.deepEqual(
    report.repairedHash,
    layout.levels.map(() => [0]),
  );
});

test('damage beyond the code: what can be mended is, nothing right is lost, and it ends', async (t) => {
  const { dataPath, repair, made } = await image(t);
  const rounds = made.fec!.rounds;
  const data = DATA.slice();
  const lost = Array.from({ length: ROOTS + 1 }, (_, i) => (i * 9 + 1) * rounds);
  for (const block of [...lost, rounds + 1]) data.fill(0xaa, block * 512, (block + 1) * 512);
  writeFileSync(dataPath, data);
  const { after, repairedData } = await repair();
  assert.deepEqual([after.isGood, [...after.corruptData], repairedData], [false, lost, [rounds + 1]]);
  const now = new Uint8Array(readFileSync(dataPath));
  for (let block = 0; block < BLOCKS; block++) {
    const isRight = bytesEqual(
      now.subarray(block * 512, (block + 1) * 512),
      DATA.subarray(block * 512, (block + 1) * 512),
    );
    assert.equal(isRight, !lost.includes(block), `block ${block}`);
  }
});

test('parity that is wrong everywhere makes nothing worse', async (t) => {
  const { dataPath, fecPath, repair } = await image(t);
  const data = DATA.slice();
  data.fill(0, 5 * 512, 6 * 512);
  writeFileSync(dataPath, data);
  writeFileSync(fecPath, stream(9, readFileSync(fecPath).length));
  const { after, repairedBlocks } = await repair();
  assert.deepEqual([[...after.corruptData], repairedBlocks], [[5], 0]);
  assert.ok(bytesEqual(new Uint8Array(readFileSync(dataPath)), data));
  writeFileSync(fecPath, new Uint8Array(100));
  await assert.rejects(repair(), { code: 'fec_short' });
});

/** Runs it without the rights of root, if it has them. */
async function asNobody<T>(dir: string, run: () => Promise<T>): Promise<T> {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) return run();
  chmodSync(dir, 0o777);
  process.seteuid?.(65_534);
  try {
    return await run();
  } finally {
    process.seteuid?.(0);
  }
}

test('only a file that has damage is opened for writing', async (t) => {
  const { dataPath, hashPath, repair, restored } = await image(t);
  const asReader = () => asNobody(dirname(dataPath), repair);
  for (const path of [dataPath, hashPath]) chmodSync(path, 0o444);
  assert.equal((await asReader()).after.isGood, true);
  const data = DATA.slice();
  data.fill(0, 5 * 512, 6 * 512);
  chmodSync(dataPath, 0o666);
  writeFileSync(dataPath, data);
  assert.deepEqual((await asReader()).repairedData, [5]);
  assert.ok(restored());
  writeFileSync(dataPath, data);
  chmodSync(dataPath, 0o444);
  await assert.rejects(asReader(), { code: 'no_permission' });
});

test('a copy of files that may only be read is mended', async (t) => {
  const { dataPath, hashPath, repair } = await image(t);
  const data = DATA.slice();
  data.fill(0, 5 * 512, 6 * 512);
  writeFileSync(dataPath, data);
  for (const path of [dataPath, hashPath]) chmodSync(path, 0o444);
  const dir = dirname(dataPath);
  const { after, repairedData } = await asNobody(dir, () => repair({ outputData: join(dir, 'copy') }));
  assert.deepEqual([after.isGood, repairedData], [true, [5]]);
  assert.ok(bytesEqual(new Uint8Array(readFileSync(join(dir, 'copy'))), DATA));
  assert.ok(bytesEqual(new Uint8Array(readFileSync(dataPath)), data));
});

test('the event loop turns after each round, so that a repair can be stopped there', async (t) => {
  const { dataPath, repair, made } = await image(t);
  const rounds = made.fec!.rounds;
  assert.ok(rounds > 3);
  const data = DATA.slice().fill(0, 0, rounds * 512);
  writeFileSync(dataPath, data);
  const stopped = new Error('stopped');
  let calls = 0;
  let isAborted = false;
  const work = {
    signal: {
      throwIfAborted: () => {
        if (isAborted) throw stopped;
      },
    },
    onProgress: ({ phase }: Progress) => {
      isAborted = phase === 'repairing' && ++calls === 2;
    },
  };
  await assert.rejects(repair({}, work), stopped);
  const now = new Uint8Array(readFileSync(dataPath));
  const mended = Array.from({ length: rounds }, (_, block) => now.subarray(block * 512, (block + 1) * 512)).map(
    (block) => block.some((byte) => byte !== 0),
  );
  assert.deepEqual(mended.slice(0, 3), [true, true, false]);
  assert.ok((await repair()).after.isGood);
});

test('parity that is not all there is refused before anything is read or written', async (t) => {
  const { fecPath, repair, made } = await image(t);
  const { paritySizeBytes } = made.fec!;
  truncateSync(fecPath, paritySizeBytes - 1);
  const phases = new Set<string>();
  await assert.rejects(repair({}, { onProgress: ({ phase }) => void phases.add(phase) }), { code: 'fec_short' });
  assert.equal(phases.size, 0);
  truncateSync(fecPath, paritySizeBytes + 1);
  assert.deepEqual((await repair()).parity, { neededBytes: paritySizeBytes, foundBytes: paritySizeBytes + 1 });
});
