// SPDX-License-Identifier: Apache-2.0
// Internal: the parts of verifyTree, which returns a promise where a target cannot.
import { bytesEqual, concatBytes, parseHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import type { FuzzTarget } from '@vouchsafe/testing';
import { openVerity, readHeader, type VerifyRequest, VerityError, type VerityHeader } from '@vouchsafe/verity';
import { Climb } from '../src/tree/climb.ts';
import { compareBlocks, noMismatches } from '../src/tree/compare.ts';
import { requireDataSize } from '../src/tree/format.ts';
import { treeLayout } from '../src/tree/layout.ts';
import { hashLeaves } from '../src/tree/leaves.ts';
import { judge, requireRootHashSize, requireTreeSize } from '../src/tree/verify.ts';
import { stream } from '../test/fec-support.ts';
import { tableRows, treeTestdata } from '../test/tree-support.ts';

/** An input is so many octets of data, and a hash file. */
const DATA_BYTES = 8192;
const TREES = ['two-levels', 'data-blocks'];
const PLACE = { offset: 0, hasSuperblock: true };

const trees = tableRows('tree/trees.tsv')
  .filter(({ name }) => TREES.includes(name as string))
  .map(({ name, seed, root }) => ({
    data: stream(Number(seed), DATA_BYTES),
    hash: treeTestdata(`tree/${name}.hash`),
    rootHash: parseHex(root as string),
  }));

/** Mutated data and tree under the root hash of the right ones: what is read is right or refused, what differs is told. */
export const target: FuzzTarget = {
  name: 'verity-tree',
  seeds: () => trees.map(({ data, hash }) => concatBytes(data, hash)),
  run(bytes) {
    const data = bytes.subarray(0, DATA_BYTES);
    const hash = bytes.subarray(DATA_BYTES);
    const parameters = readHeader(memorySource(hash), 0);
    const layout = treeLayout(parameters, PLACE);
    for (const tree of trees) {
      if (tree.rootHash.length === layout.cells.digestBytes) check(parameters, data, hash, tree.data, tree.rootHash);
    }
  },
};

function check(p: VerityHeader, data: Uint8Array, hash: Uint8Array, right: Uint8Array, rootHash: Uint8Array): void {
  const request = { data: memorySource(data), hash: memorySource(hash), parameters: p, place: PLACE, rootHash };
  const layout = treeLayout(p, PLACE);
  requireRootHashSize(rootHash, p, layout);
  requireDataSize(request.data, p);
  requireTreeSize(request.hash, layout);
  const refused = countRefused(request, right);
  // Then the root hash is that of a data block, which a mutation may have put there.
  if (layout.levels.length === 0) return;

  const found = noMismatches(layout);
  const settle = compareBlocks(layout, request.hash, p.hashBlockSize, found);
  const climb = new Climb(p, layout, settle);
  for (const _ of hashLeaves(request.data, p, layout, { first: 0, end: p.dataBlocks }, settle, (d) => climb.add(d)));
  const report = judge(layout, p, found, climb.finish(), rootHash);
  if (report.corruptData.count + report.unjudgedDataBlocks !== refused)
    throw new Error(`${refused} blocks cannot be read, the report has another number`);
}

/** How many blocks are refused; throws when one is returned and not the right one. */
function countRefused(request: VerifyRequest, right: Uint8Array): number {
  const { dataBlocks, dataBlockSize } = request.parameters;
  const opened = orRefusal(() => openVerity(request));
  if (opened === undefined) return dataBlocks;
  const block = new Uint8Array(dataBlockSize);
  let refused = 0;
  for (let at = 0; at < dataBlocks * dataBlockSize; at += dataBlockSize) {
    if (orRefusal(() => opened.read(at, block) ?? true) === undefined) refused++;
    else if (!bytesEqual(block, right.subarray(at, at + dataBlockSize))) throw new Error(`octet ${at} was read wrong`);
  }
  return refused;
}

function orRefusal<Value>(call: () => Value): Value | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof VerityError && (error.code === 'block_corrupt' || error.code === 'root_mismatch')) return;
    throw error;
  }
}
