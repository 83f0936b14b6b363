// SPDX-License-Identifier: Apache-2.0
// internal: the definitions that a recipe's disk is written from.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecipe } from '@vouchsafe/image';
import { imagePartitions } from '../src/build/image-partitions.ts';
import { rootTree } from './made-disk.ts';

const LEAST = 'name: edge\nversion: "7"\nroot: { tar: t }\nkernel: { folder: k }\nkeys: keys\n';

const partitionsOf = (more: string) =>
  imagePartitions({
    recipe: parseRecipe(LEAST + more, 'r.yaml'),
    members: async () => [],
    plannedMembers: async () => [],
    tree: [...rootTree()],
    ukiBytes: 4096,
  });

test('one slot: partitions by the names of their types, and nothing empty', () => {
  assert.deepEqual(
    partitionsOf('').map(({ label }) => label),
    ['esp', 'root-x86-64', 'root-x86-64-verity', 'root-x86-64-verity-sig'],
  );
});

test('two slots: each empty one is as large as the one of its type, and /var comes behind them all', () => {
  const partitions = partitionsOf(
    'loader: l\nlayout: { slots: 2, verity: usr, slot-size: 1G, esp-size: 256M }\nvar: { size: 64M }\n',
  );
  assert.deepEqual(
    partitions.map(({ label }) => label),
    ['esp', 'edge_7', 'edge_7_verity', 'edge_7_verity_sig', '_empty', '_empty', '_empty', 'var'],
  );
  for (const { typeUuid, slotOf } of partitions) {
    if (slotOf !== undefined) assert.equal(partitions[slotOf]?.typeUuid, typeUuid);
  }
  assert.deepEqual(
    partitions.map(({ slotOf }) => slotOf),
    [undefined, undefined, undefined, undefined, 1, 2, 3, undefined],
  );
  const sizes = partitions.map(({ minBytes, maxBytes }) => [minBytes, maxBytes]);
  assert.deepEqual(
    [sizes[0], sizes[1], sizes[7]],
    [2 ** 28, 2 ** 30, 2 ** 26].map((bytes) => [bytes, bytes]),
  );
});
