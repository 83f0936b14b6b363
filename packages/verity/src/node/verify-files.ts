// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { compareBlocks, noMismatches } from '../tree/compare.ts';
import { requireDataSize } from '../tree/format.ts';
import { treeLayout } from '../tree/layout.ts';
import { passOverTree } from '../tree/tree-pass.ts';
import { judge, requireRootHashSize, requireTreeSize, type VerityReport } from '../tree/verify.ts';
import { type FecFileRequest, fecGeometryOf, requireParitySize } from './fec-files.ts';
import { type KnownTree, knownTree, type TreeInFile } from './known-tree.ts';
import { passWithThreads } from './leaf-pool.ts';
import { findRepairable, type Repairable } from './repairable.ts';
import { threadsFor } from './threads.ts';

export interface VerifyFilesRequest {
  readonly dataPath: string;
  readonly hashPath: string;
  readonly tree: TreeInFile;
  readonly rootHash: Uint8Array;
  /** Say what of the damage this parity covers. */
  readonly fec?: FecFileRequest | undefined;
  /** As many as the machine and the size suggest when absent. */
  readonly threads?: number | undefined;
}

/** What a check has found, and what it was of. */
export interface VerifiedFiles extends KnownTree, VerityReport {
  /** What a repair would mend; undefined where no parity was named. */
  readonly repairable?: Repairable;
}

/**
 * Reads every block of the data and the tree and checks it up to the root hash.
 * @throws {VerityError} 'superblock_missing', 'superblock_invalid', 'algorithm', 'options_invalid', 'data_size',
 * 'tree_short'; 'fec_roots', 'fec_geometry', 'fec_short'; damage is not thrown but reported.
 * @throws {BytesError} what the host refuses.
 */
export async function verifyFiles(request: VerifyFilesRequest, work: LongWork = {}): Promise<VerifiedFiles> {
  const { hashPath, rootHash, fec } = request;
  using data = FileSource.open(request.dataPath);
  using hash = FileSource.open(hashPath);
  const known = knownTree(hash, request.tree);
  if (fec !== undefined) requireParity(hash, hashPath, fec, known);
  const report = await verifyOpenFiles(data, hash, known, rootHash, request.threads, work);
  if (fec === undefined) return { ...known, ...report };
  const repairable = await findRepairable({ data, hash, hashPath, fec, rootHash }, known, report, work);
  return { ...known, ...report, repairable };
}

/** Before the work, not after it. */
function requireParity(
  hash: FileSource,
  hashPath: string,
  fec: FecFileRequest,
  { parameters, place }: KnownTree,
): void {
  using parity = FileSource.open(fec.path);
  const layout = treeLayout(parameters, place);
  requireTreeSize(hash, layout);
  requireParitySize(parity, fec, fecGeometryOf(parameters, layout, hash.size, fec, hashPath));
}

/**
 * The same over files that are open, or parts of them.
 * @throws {VerityError} 'options_invalid', 'data_size', 'tree_short'. @throws {BytesError}
 */
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
