// SPDX-License-Identifier: Apache-2.0
// Damage anywhere in data or tree: what is read is right or refused, and the report says which blocks it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { openVerity, type TreeLayout, treeLayout, VerityError, verifyTree, verityFindings } from '@vouchsafe/verity';
import fc from 'fast-check';
import { stream } from './fec-support.ts';
import { formatInMemory, type MemoryTree, treeOptions } from './tree-support.ts';

const DATA = stream(77, 300 * 512);
const TREES: readonly (MemoryTree & { readonly layout: TreeLayout })[] = await Promise.all(
  [
    '--data-block-size=512 --hash-block-size=512 --salt=0102',
    '--data-block-size=512 --hash-block-size=512 --hash=sha1 --format=0 --salt=0102',
    '--data-block-size=1024 --hash-block-size=512 --hash=sha512 --salt=-',
    '--data-block-size=512 --hash-block-size=4096 --no-superblock --salt=-',
  ].map(async (args) => {
    const tree = await formatInMemory(DATA, treeOptions(args));
    return { ...tree, layout: treeLayout(tree.parameters, tree.place) };
  }),
);

/** Octets to change, by number through data and tree; never a superblock. */
const damage = fc.record({
  tree: fc.constantFrom(...TREES),
  at: fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 6 }),
});
type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

function spoil({ tree, at }: Damage): { data: Uint8Array; hash: Uint8Array } {
  const [data, hash] = [DATA.slice(), tree.hash.slice()];
  for (const [inTree, where, value] of at) {
    const target = inTree ? hash.subarray(tree.layout.start, tree.layout.end) : data;
    target[where % target.length]! ^= value;
  }
  return { data, hash };
}

const REFUSALS = ['block_corrupt', 'root_mismatch'];

test('a read returns the right bytes or throws, and nothing of a refused block', () => {
  const read = fc.tuple(fc.nat(DATA.length), fc.nat(3000));
  fc.assert(
    fc.property(damage, fc.array(read, { minLength: 1, maxLength: 8 }), fc.nat(8192), (what, reads, cacheBytes) => {
      const { data, hash } = spoil(what);
      try {
        const opened = openVerity({ ...what.tree, data: memorySource(data), hash: memorySource(hash) }, { cacheBytes });
        for (const [offset, n] of reads) {
          const length = Math.min(n, DATA.length - offset);
          const target = new Uint8Array(length).fill(0xee);
          try {
            opened.read(offset, target);
            assert.ok(bytesEqual(target, DATA.subarray(offset, offset + length)));
          } catch (error) {
            assert.ok(error instanceof VerityError && REFUSALS.includes(error.code), String(error));
            // What was filled in before is whole checked blocks; the rest is as it was.
            const filled = target.findIndex((byte, i) => byte !== DATA[offset + i]);
            assert.ok(target.subarray(filled < 0 ? length : filled).every((byte) => byte === 0xee));
          }
        }
      } catch (error) {
        assert.ok(error instanceof VerityError && error.code === 'root_mismatch', String(error));
      }
    }),
    { numRuns: 300 },
  );
});

/** What each block is by the bytes alone: changed or not, from the top down. */
function truth({ layout, parameters: p, hash: right }: Damage['tree'], data: Uint8Array, hash: Uint8Array) {
  const { perBlock } = layout.cells;
  const size = p.hashBlockSize;
  const top = layout.levels.length - 1;
  let lost = new Set<number>();
  const corruptHash: number[][] = layout.levels.map(() => []);
  let rootMatches = true;
  for (let level = top; level >= 0; level--) {
    const { offset, blocks } = layout.levels[level]!;
    const nowLost = new Set<number>();
    for (let index = 0; index < blocks; index++) {
      const at = offset + index * size;
      const isChanged = !bytesEqual(hash.subarray(at, at + size), right.subarray(at, at + size));
      if (level < top && lost.has(Math.floor(index / perBlock))) nowLost.add(index);
      else if (isChanged) {
        nowLost.add(index);
        if (level === top) rootMatches = false;
        else corruptHash[level]!.push(index);
      }
    }
    lost = nowLost;
  }
  const corruptData: number[] = [];
  let unjudged = 0;
  for (let block = 0; block < p.dataBlocks; block++) {
    const at = block * p.dataBlockSize;
    if (lost.has(Math.floor(block / perBlock))) unjudged++;
    else if (!bytesEqual(data.subarray(at, at + p.dataBlockSize), DATA.subarray(at, at + p.dataBlockSize)))
      corruptData.push(block);
  }
  return { rootMatches, corruptHash, corruptData, unjudged };
}

test('the report names exactly the damaged blocks, and how many cannot be judged', async () => {
  await fc.assert(
    fc.asyncProperty(damage, async (what) => {
      const { data, hash } = spoil(what);
      const { tree } = what;
      const report = await verifyTree({ ...tree, data: memorySource(data), hash: memorySource(hash) });
      const expected = truth(tree, data, hash);
      assert.deepEqual(
        {
          rootMatches: report.rootMatches,
          corruptHash: report.corruptHash.map((set) => [...set]),
          corruptData: [...report.corruptData],
          unjudged: report.unjudgedDataBlocks,
        },
        expected,
      );
      const isUntouched = bytesEqual(data, DATA) && bytesEqual(hash, tree.hash);
      assert.equal(report.isGood, isUntouched);
      const findings = verityFindings(report, tree.rootHash, { data: 'd', hash: 'h' });
      assert.equal(findings.length === 0, isUntouched);
    }),
    { numRuns: 300 },
  );
});

test('a corrupt block is named in the error', () => {
  const tree = TREES[0]!;
  const data = DATA.slice();
  data[5 * 512]! ^= 1;
  const request = { ...tree, data: memorySource(data, 'image'), hash: memorySource(tree.hash) };
  const opened = openVerity(request);
  const error = { code: 'block_corrupt', message: /image: data block 5 / };
  for (const _ of [1, 2]) assert.throws(() => opened.read(5 * 512 + 7, new Uint8Array(1)), error);
  opened.read(4 * 512, new Uint8Array(512));
  for (const cacheBytes of [-1, Number.NaN, 2 ** 31]) {
    assert.throws(() => openVerity(request, { cacheBytes }), { code: 'options_invalid' });
  }
  assert.throws(() => opened.read(DATA.length, new Uint8Array(1)), { code: 'out_of_range' });
});

test('something in the spare area of a hash block is told of', async () => {
  // 300 digests of sha1 packed: the end of each block is spare.
  const tree = TREES[1]!;
  const hash = await formatInMemory(
    DATA,
    treeOptions('--data-block-size=512 --hash-block-size=512 --hash=sha1 --format=0 --salt=0102'),
  ).then((made) => made.hash);
  const { offset } = tree.layout.levels.at(-1)!;
  hash[offset + 511] = 1;
  const report = await verifyTree({ ...tree, data: memorySource(DATA), hash: memorySource(hash) });
  assert.deepEqual([report.rootMatches, [...report.spareInUse.at(-1)!]], [false, [0]]);
  const again = await verifyTree({
    ...tree,
    data: memorySource(DATA),
    hash: memorySource(hash),
    rootHash: report.actualRootHash,
  });
  assert.deepEqual([again.rootMatches, again.isGood], [true, false]);
});

test('damage without end is counted, and listed up to a limit', async () => {
  const data = new Uint8Array(250_000 * 512);
  const made = await formatInMemory(data, treeOptions('--data-block-size=512 --hash-block-size=4096 --salt=-'));
  for (let block = 0; block < 250_000; block += 2) data[block * 512] = 1;
  const report = await verifyTree({ ...made, data: memorySource(data), hash: memorySource(made.hash) });
  const { corruptData } = report;
  assert.deepEqual([corruptData.count, corruptData.listedCount, corruptData.isTruncated], [125_000, 100_000, true]);
  const findings = verityFindings(report, made.rootHash, { data: 'd', hash: 'h' });
  assert.deepEqual(
    [findings.length, findings.at(-1)?.code, findings.at(-1)?.where.blocks],
    [100_001, 'verity_more', 25_000],
  );
  // Under another root hash none of it can be judged.
  const other = await verifyTree({
    ...made,
    data: memorySource(data),
    hash: memorySource(made.hash),
    rootHash: new Uint8Array(32),
  });
  assert.deepEqual([other.rootMatches, other.corruptData.count, other.unjudgedDataBlocks], [false, 0, 250_000]);
});
