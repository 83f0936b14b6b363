// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  consistencyProof,
  GrowingTree,
  hashLeaf,
  hashNode,
  inclusionProof,
  isConsistent,
  isIncluded,
  type SubtreeHashes,
} from '@vouchsafe/audit';
import { parseHex, toHex } from '@vouchsafe/base';
import fc from 'fast-check';

const leafOf = (i: number): Uint8Array => Uint8Array.of(i & 255, i >> 8);

/** RFC 6962, 2.1, word for word. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return hashLeaf(leaves[0] as Uint8Array);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return hashNode(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** A tree of so many leaves, and the subtrees that appending them finished. */
function grown(size: number): { readonly roots: readonly Uint8Array[]; readonly subtrees: SubtreeHashes } {
  const tree = new GrowingTree();
  const known = new Map<string, Uint8Array>();
  const roots = [tree.root()];
  for (let i = 0; i < size; i++) {
    for (const { level, index, hash } of tree.append(leafOf(i))) known.set(`${level}/${index}`, hash);
    roots.push(tree.root());
  }
  const subtrees: SubtreeHashes = async (level, index) =>
    known.get(`${level}/${index}`) ?? assert.fail(`${level}/${index}`);
  return { roots, subtrees };
}

const SIZE = 70;
const { roots, subtrees } = grown(SIZE);
const rootAt = (size: number): Uint8Array => roots[size] as Uint8Array;

test('the roots of the certificate transparency project', () => {
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const expected = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];
  const tree = new GrowingTree();
  assert.equal(toHex(tree.root()), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  for (const [i, leaf] of leaves.entries()) {
    tree.append(parseHex(leaf));
    assert.equal(toHex(tree.root()), expected[i]);
  }
});

test('a growing tree has the root that the definition gives, and goes on from its frontier', () => {
  for (let size = 1; size <= SIZE; size++) {
    assert.deepEqual(rootAt(size), treeHash(Array.from({ length: size }, (_, i) => leafOf(i))));
  }
  for (let size = 0; size < SIZE; size++) {
    const first = new GrowingTree();
    for (let i = 0; i < size; i++) first.append(leafOf(i));
    const second = new GrowingTree(first.frontier);
    second.append(leafOf(size));
    assert.deepEqual(second.root(), rootAt(size + 1));
  }
});

test('a frontier that does not fit its size is refused', () => {
  const hash = new Uint8Array(32);
  for (const frontier of [
    { size: 3, nodes: [hash] },
    { size: 0, nodes: [hash] },
    { size: -1, nodes: [] },
    { size: 1, nodes: [new Uint8Array(31)] },
    { size: 1.5, nodes: [hash] },
  ]) {
    assert.throws(() => new GrowingTree(frontier), { code: 'audit_argument' });
  }
});

test('every leaf of every tree is proved to be in it, and no other', async () => {
  for (let size = 1; size <= 33; size++) {
    for (let index = 0; index < size; index++) {
      const proof = await inclusionProof(subtrees, index, size);
      const leaf = hashLeaf(leafOf(index));
      assert.ok(isIncluded(leaf, index, size, proof, rootAt(size)), `${index} of ${size}`);
      assert.ok(!isIncluded(hashLeaf(leafOf(index + 1)), index, size, proof, rootAt(size)));
      assert.ok(!isIncluded(leaf, index, size, proof, rootAt(size + 1)));
      assert.ok(!isIncluded(leaf, index, size, [...proof, leaf], rootAt(size)));
      if (size > 1) assert.ok(!isIncluded(leaf, (index + 1) % size, size, proof, rootAt(size)));
      if (proof.length > 0) assert.ok(!isIncluded(leaf, index, size, proof.slice(1), rootAt(size)));
    }
  }
  await assert.rejects(inclusionProof(subtrees, 3, 3), { code: 'audit_argument' });
});

test('every tree is proved to have grown out of every smaller one, and out of no other', async () => {
  for (let size = 0; size <= 40; size++) {
    for (let older = 0; older <= size; older++) {
      const proof = await consistencyProof(subtrees, older, size);
      const [before, now] = [
        { size: older, root: rootAt(older) },
        { size, root: rootAt(size) },
      ];
      assert.ok(isConsistent(before, now, proof), `${older} to ${size}`);
      assert.ok(!isConsistent(before, { size, root: rootAt(size + 1) }, proof) || older === 0);
      if (older > 0) assert.ok(!isConsistent({ size: older, root: rootAt(older - 1) }, now, proof));
      assert.ok(!isConsistent(before, now, [...proof, rootAt(1)]));
      if (proof.length > 0) assert.ok(!isConsistent(before, now, proof.slice(0, -1)));
    }
  }
  await assert.rejects(consistencyProof(subtrees, 4, 3), { code: 'audit_argument' });
});

test('a proof with any octet changed does not hold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: SIZE }), fc.nat(), fc.nat(), fc.nat(), async (size, a, b, c) => {
      const index = a % size;
      const proof = await inclusionProof(subtrees, index, size);
      const changed = proof.map((hash) => hash.slice());
      const hash = changed[b % changed.length] as Uint8Array;
      hash[c % 32] = (hash[c % 32] as number) ^ 1;
      assert.ok(!isIncluded(hashLeaf(leafOf(index)), index, size, changed, rootAt(size)));
    }),
  );
});
