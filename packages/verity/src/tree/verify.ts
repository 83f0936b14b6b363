// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import { BlockSet, type NumberRun } from './block-set.ts';
import { compareBlocks, type Mismatches, noMismatches } from './compare.ts';
import { requireDataSize } from './format.ts';
import { type HashAreaPlace, type TreeLayout, type TreeLevel, treeLayout } from './layout.ts';
import type { VerityParameters } from './parameters.ts';
import { passOverTree } from './tree-pass.ts';

export interface VerifyRequest {
  readonly data: ByteSource;
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly hash: ByteSource;
  readonly rootHash: Uint8Array;
}

/** What a full check of the data and the tree against a root hash has found. */
export interface VerityReport {
  /** True when every block is covered by the root hash, and nothing else is in the tree. */
  readonly isGood: boolean;
  /** Digest of the top block as it stands. */
  readonly actualRootHash: Uint8Array;
  readonly rootMatches: boolean;
  /** Data blocks that differ from the digest in an intact hash block. */
  readonly corruptData: BlockSet;
  /** By level: hash blocks that differ from the digest in an intact block above. */
  readonly corruptHash: readonly BlockSet[];
  /** By level: hash blocks with something other than zeros outside their digests; the kernel does not mind. */
  readonly spareInUse: readonly BlockSet[];
  /** Data blocks that could not be judged, as a hash block above them is damaged; at least, where damage is unlisted. */
  readonly unjudgedDataBlocks: number;
}

/** @throws {VerityError} 'tree_short' when the hash area ends before the tree does. */
export function requireTreeSize(hash: ByteSource, layout: TreeLayout): void {
  if (layout.levels.length > 0 && hash.size < layout.end) {
    throw new VerityError(
      'tree_short',
      `${hash.label}: the tree needs ${layout.end} octets, the file ends at ${hash.size}; is it the hash file of this data, and whole?`,
    );
  }
}

/** @throws {VerityError} 'options_invalid' unless the root hash has as many octets as the digest. */
export function requireRootHashSize(rootHash: Uint8Array, p: VerityParameters, layout: TreeLayout): void {
  const { digestBytes } = layout.cells;
  if (rootHash.length !== digestBytes) {
    throw new VerityError(
      'options_invalid',
      `the root hash has ${2 * rootHash.length} hexadecimal digits, a ${p.algorithm} root hash has ${2 * digestBytes}`,
    );
  }
}

/**
 * Reads every block and checks it up to the root.
 * @throws {VerityError} 'options_invalid', 'data_size', 'tree_short'; damage is not thrown but reported.
 */
export async function verifyTree(request: VerifyRequest, work: LongWork = {}): Promise<VerityReport> {
  const { data, parameters, place, hash, rootHash } = request;
  const layout = treeLayout(parameters, place);
  requireRootHashSize(rootHash, parameters, layout);
  requireDataSize(data, parameters);
  requireTreeSize(hash, layout);
  const found = noMismatches(layout);
  const settle = compareBlocks(layout, hash, parameters.hashBlockSize, found);
  const actual = await passOverTree(data, parameters, layout, settle, 'verifying', work);
  return judge(layout, parameters, found, actual, rootHash);
}

/**
 * Decides which of two blocks that do not fit together is the damaged one: the lower, if all above it holds; else it is
 * not known, since a damaged hash block disowns everything below it.
 */
export function judge(
  layout: TreeLayout,
  p: VerityParameters,
  found: Mismatches,
  actualRootHash: Uint8Array,
  rootHash: Uint8Array,
): VerityReport {
  const { perBlock } = layout.cells;
  const rootMatches = bytesEqual(actualRootHash, rootHash);
  const top = layout.levels.length - 1;

  /** By level: blocks that cannot be believed, by their own fault or that of one above. */
  const disowned: BlockSet[] = new Array<BlockSet>(layout.levels.length);
  const corruptHash: BlockSet[] = layout.levels.map(() => new BlockSet());
  for (let level = top; level >= 0; level--) {
    disowned[level] = new BlockSet();
    if (level === top) {
      if (!rootMatches) disowned[level]?.add(0);
      continue;
    }
    splitByParent(
      found.hash[level] as BlockSet,
      disowned[level + 1] as BlockSet,
      perBlock,
      (layout.levels[level] as TreeLevel).blocks,
      corruptHash[level] as BlockSet,
      disowned[level] as BlockSet,
    );
  }
  const corruptData = new BlockSet();
  let unjudgedDataBlocks = 0;
  if (top >= 0) {
    splitByParent(found.data, disowned[0] as BlockSet, perBlock, p.dataBlocks, corruptData, new BlockSet());
    const orphans = childRuns(disowned[0] as BlockSet, perBlock, p.dataBlocks);
    unjudgedDataBlocks = orphans.reduce((sum, { first, end }) => sum + end - first, 0);
  } else if (!rootMatches) corruptData.add(0);
  const isGood =
    rootMatches &&
    corruptData.count === 0 &&
    corruptHash.every((s) => s.count === 0) &&
    found.spare.every((s) => s.count === 0);
  return { isGood, actualRootHash, rootMatches, corruptData, corruptHash, spareInUse: found.spare, unjudgedDataBlocks };
}

/** The children of blocks, as runs in ascending order. */
function childRuns(parents: BlockSet, perBlock: number, blocks: number): NumberRun[] {
  return parents.runs.map(({ first, end }) => ({ first: first * perBlock, end: Math.min(end * perBlock, blocks) }));
}

/**
 * Sorts the mismatches of one level: into `corrupt` where the parent can be believed; into `disowned` those and all
 * children of parents that cannot.
 */
function splitByParent(
  mismatched: BlockSet,
  disownedParents: BlockSet,
  perBlock: number,
  blocks: number,
  corrupt: BlockSet,
  disowned: BlockSet,
): void {
  const orphans = childRuns(disownedParents, perBlock, blocks);
  let next = 0;
  const passOrphansBefore = (block: number): void => {
    for (let run = orphans[next]; run !== undefined && run.end <= block; run = orphans[++next]) {
      disowned.addRun(run.first, run.end);
    }
  };
  for (const block of mismatched) {
    passOrphansBefore(block);
    const run = orphans[next];
    if (run !== undefined && run.first <= block) continue;
    corrupt.add(block);
    disowned.add(block);
  }
  passOrphansBefore(blocks);
  // What is not listed lies behind what is; no more of it can be to blame than has a parent to be believed.
  const listedEnd = mismatched.runs.at(-1)?.end ?? 0;
  const orphansBehind = orphans.reduce((sum, { first, end }) => sum + Math.max(0, end - Math.max(first, listedEnd)), 0);
  corrupt.addUnlisted(Math.min(mismatched.count - mismatched.listedCount, blocks - listedEnd - orphansBehind));
}
