// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import type { BlockSet } from '../tree/block-set.ts';
import { treeLayout } from '../tree/layout.ts';
import { type VerityReport, verifyTree } from '../tree/verify.ts';
import { type FecFileRequest, fecGeometryOf, requireParitySize } from './fec-files.ts';
import type { KnownTree } from './known-tree.ts';
import { Mender } from './mender.ts';
import { Overlay, OverlayBudget } from './overlay.ts';

/** Mended blocks that are kept while it is found out what else they bring to light. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/** What a repair would do. */
export interface Repairable {
  /** Damaged blocks that can be mended; at least, when there are more than is worth trying. */
  readonly blocks: number;
  /** True when nothing would be left damaged. */
  readonly isAll: boolean;
}

/** The files of a check, and the parity beside them. */
export interface RepairableFiles {
  readonly data: FileSource;
  readonly hash: FileSource;
  readonly hashPath: string;
  readonly fec: FecFileRequest;
  readonly rootHash: Uint8Array;
}

/**
 * Finds out what a repair would mend, without writing anything.
 * @param report of the check; of damage that is not listed only as much is tried as it takes to see.
 * @throws {VerityError} 'fec_roots', 'fec_geometry', 'fec_short'; {BytesError} what the host refuses.
 */
export async function findRepairable(
  { data, hash, hashPath, fec, rootHash }: RepairableFiles,
  { parameters, place }: KnownTree,
  report: VerityReport,
  work: LongWork,
): Promise<Repairable> {
  const layout = treeLayout(parameters, place);
  using parity = FileSource.open(fec.path);
  const geometry = fecGeometryOf(parameters, layout, hash.size, fec, hashPath);
  requireParitySize(parity, fec, geometry);
  const budget = new OverlayBudget(MAX_KEPT_BYTES);
  const mendedData = new Overlay(data, parameters.dataBlockSize, budget);
  const mendedHash = new Overlay(hash, parameters.hashBlockSize, budget);
  const mender = new Mender(parameters, layout, geometry, rootHash, {
    data: { source: mendedData, offsetBytes: 0 },
    hash: { source: mendedHash, offsetBytes: layout.start },
    parity: { source: parity, offsetBytes: fec.offset },
    dataOut: mendedData,
    hashOut: mendedHash,
  });
  let left = report;
  // Each round mends at least one block more, and what is mended stays so; the budget ends it in any case.
  while (!left.isGood) {
    const before = mender.repairs().repairedBlocks;
    if (!(await mender.mend(left, work)) || budget.isSpent) break;
    const blocks = mender.repairs().repairedBlocks;
    // The usual case needs no second look at all of the data.
    if (blocks - before === damagedBlocks(left)) return { blocks, isAll: true };
    left = await verifyTree({ data: mendedData, hash: mendedHash, parameters, place, rootHash }, work);
  }
  return { blocks: mender.repairs().repairedBlocks, isAll: left.isGood };
}

/** How many blocks have to be mended; undefined when the damage that shows is not all there may be. */
function damagedBlocks(report: VerityReport): number | undefined {
  const sets: readonly BlockSet[] = [report.corruptData, ...report.corruptHash];
  const isAllListed = report.rootMatches && report.unjudgedDataBlocks === 0 && sets.every((set) => !set.isTruncated);
  if (!isAllListed || report.spareInUse.some((set) => set.count > 0)) return undefined;
  return sets.reduce((sum, set) => sum + set.count, 0);
}
