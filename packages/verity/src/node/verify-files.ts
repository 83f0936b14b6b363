// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { compareBlocks, noMismatches } from '../tree/compare.ts';
import { requireDataSize } from '../tree/format.ts';
import { readHeader } from '../tree/header.ts';
import { type HashAreaPlace, treeLayout } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';
import { passOverTree } from '../tree/tree-pass.ts';
import { judge, requireRootHashSize, requireTreeSize, type VerityReport } from '../tree/verify.ts';
import { passWithThreads } from './leaf-pool.ts';
import { threadsFor } from './threads.ts';

/** How a tree in a file is described: by its superblock, or by whoever asks. */
export type TreeInFile =
  | { readonly hashOffset: number; readonly hasSuperblock: true }
  | { readonly hashOffset: number; readonly hasSuperblock: false; readonly parameters: VerityParameters };

export interface VerifyFilesRequest {
  readonly dataPath: string;
  readonly hashPath: string;
  readonly tree: TreeInFile;
  readonly rootHash: Uint8Array;
  /** As many as the machine and the size suggest when absent. */
  readonly threads?: number | undefined;
}

/** What is known of the tree in a hash file. */
export interface KnownTree {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
}

/** @throws {VerityError} 'superblock_missing', 'superblock_invalid', 'algorithm'. */
export function knownTree(hash: FileSource, tree: TreeInFile): KnownTree {
  const place = { offset: tree.hashOffset, hasSuperblock: tree.hasSuperblock };
  return { place, parameters: tree.hasSuperblock ? readHeader(hash, tree.hashOffset) : tree.parameters };
}

/**
 * Reads every block of the data and the tree and checks it up to the root hash.
 * @throws {VerityError} 'superblock_missing', 'superblock_invalid', 'algorithm', 'options_invalid', 'data_size',
 * 'tree_short'; damage is not thrown but reported.
 * @throws {BytesError} what the host refuses.
 */
export async function verifyFiles(request: VerifyFilesRequest, work: LongWork = {}): Promise<VerityReport & KnownTree> {
  using data = FileSource.open(request.dataPath);
  using hash = FileSource.open(request.hashPath);
  const known = knownTree(hash, request.tree);
  return { ...known, ...(await verifyOpenFiles(data, hash, known, request.rootHash, request.threads, work)) };
}

/** The same over files that are open. */
export async function verifyOpenFiles(
  data: FileSource,
  hash: FileSource,
  { parameters, place }: KnownTree,
  rootHash: Uint8Array,
  wantedThreads: number | undefined,
  work: LongWork,
): Promise<VerityReport> {
  const layout = treeLayout(parameters, place);
  requireRootHashSize(rootHash, parameters, layout);
  requireDataSize(data, parameters);
  requireTreeSize(hash, layout);
  const found = noMismatches(layout);
  const settle = compareBlocks(layout, hash, parameters.hashBlockSize, found);
  const threads = threadsFor(parameters.dataBlocks * parameters.dataBlockSize, wantedThreads);
  const actual =
    threads === 1 || layout.levels.length === 0
      ? await passOverTree(data, parameters, layout, settle, 'verifying', work)
      : await passWithThreads(
          threads,
          { mode: 'compare', data: data.handle, hash: hash.handle, parameters, place },
          layout,
          settle,
          found,
          'verifying',
          work,
        );
  return judge(layout, parameters, found, actual, rootHash);
}
