// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bytesEqual, type LongWork, toHex } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { needsVectors, vectorPath, vectorTsv } from '@vouchsafe/testing';
import { formatVerity, verifyTree } from '@vouchsafe/verity';
import { stream } from './fec-support.ts';
import { formatInMemory, tableRows, treeOptions, treeTestdata, UUID } from './tree-support.ts';

for (const { name, seed, octets, args, root } of tableRows('tree/trees.tsv')) {
  test(`vector: ${name} is written as by veritysetup, and verifies`, async () => {
    const data = stream(Number(seed), Number(octets));
    const made = await formatInMemory(data, treeOptions(args as string));
    assert.equal(toHex(made.rootHash), root);
    const hash = treeTestdata(`tree/${name}.hash`);
    assert.ok(bytesEqual(made.hash, hash));
    const report = await verifyTree({ ...made, data: memorySource(data), hash: memorySource(hash) });
    assert.ok(report.isGood);
  });
}

for (const row of vectorTsv('image/verity/vectors.tsv')) {
  test(`shared vector: ${row['id']}`, needsVectors('image/verity'), async () => {
    const file = (name: string): Uint8Array => new Uint8Array(readFileSync(vectorPath('image/verity', name)));
    const data = file(row['data'] as string);
    const made = await formatInMemory(data, treeOptions(row['args'] as string));
    assert.equal(toHex(made.rootHash), row['root_hash']);
    const whole = row['hash_file']?.endsWith('.img') ? withTree(data, made.hash, 2 * 1024 * 1024) : made.hash;
    assert.equal(createHash('sha256').update(whole).digest('hex'), row['hash_file_sha256']);
  });
}

/** Data and tree in one file of that size. */
function withTree(data: Uint8Array, hash: Uint8Array, size: number): Uint8Array {
  const image = new Uint8Array(size);
  image.set(hash);
  image.set(data);
  return image;
}

const OPTIONS = treeOptions('--data-block-size=512 --hash-block-size=512 --salt=00');

test('data behind the last block is not part of the tree; data before its end has to be there', async () => {
  const data = stream(1, 5000);
  const nine = await formatInMemory(data, { ...OPTIONS, dataBlocks: 9 });
  const cut = await formatInMemory(data.subarray(0, 9 * 512), OPTIONS);
  assert.deepEqual(nine.rootHash, cut.rootHash);
  await assert.rejects(formatInMemory(data, { ...OPTIONS, dataBlocks: 10 }), { code: 'data_size' });
  await assert.rejects(formatInMemory(data, OPTIONS), { code: 'options_invalid' });
  const short = { ...nine, hash: memorySource(nine.hash.subarray(0, -1)), data: memorySource(data) };
  await assert.rejects(verifyTree(short), { code: 'tree_short' });
  const fewer = { ...nine, hash: memorySource(nine.hash), data: memorySource(data.subarray(0, 9 * 512 - 1)) };
  await assert.rejects(verifyTree(fewer), { code: 'data_size' });
});

test('a root hash of another length is refused', async () => {
  const data = stream(1, 5120);
  const made = await formatInMemory(data, OPTIONS);
  const request = { ...made, data: memorySource(data), hash: memorySource(made.hash) };
  for (const length of [0, 31, 33, 64]) {
    await assert.rejects(verifyTree({ ...request, rootHash: new Uint8Array(length) }), { code: 'options_invalid' });
  }
});

test('progress is told to the end, and waited for; a cancelled run ends without a superblock', async () => {
  const data = stream(1, 20 * 1024 * 1024);
  const parameters = { ...treeOptions('--salt=-').parameters, dataBlocks: data.length / 4096 };
  const place = { offset: 0, hasSuperblock: true };
  const run = async (work: LongWork): Promise<Uint8Array> => {
    const hash = new MemorySink(1024 * 1024);
    await formatVerity({ data: memorySource(data), parameters, place, hash, uuid: UUID }, work).catch((error) => {
      if (error !== STOP) throw error;
    });
    return hash.bytes();
  };
  const STOP = new Error('stop');
  const seen: number[] = [];
  let pending = 0;
  const whole = await run({
    onProgress: async ({ done, total, phase }) => {
      assert.deepEqual([pending++, total, phase], [0, data.length, 'hashing']);
      await Promise.resolve();
      pending--;
      seen.push(done);
    },
  });
  assert.ok(seen.length >= 2 && seen.at(-1) === data.length && seen.every((done, i) => done > (seen[i - 1] ?? 0)));
  assert.equal(whole[0], 'v'.charCodeAt(0));
  let calls = 0;
  const signal = {
    throwIfAborted: () => {
      if (++calls > 1) throw STOP;
    },
  };
  const half = await run({ signal });
  assert.ok(half.subarray(0, 512).every((byte) => byte === 0));
});

test('a UUID that is none is told of before the work', async () => {
  const data = { ...memorySource(new Uint8Array(8192)), read: () => assert.fail('read') };
  const parameters = { ...treeOptions('').parameters, dataBlocks: 2 };
  const place = { offset: 0, hasSuperblock: true };
  const hash = new MemorySink(1);
  await assert.rejects(formatVerity({ data, parameters, place, hash, uuid: 'x' }), { code: 'options_invalid' });
});
