// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { FileSource, InPlaceFile } from '@vouchsafe/bytes/node';
import type { BlockSet } from '../tree/block-set.ts';
import { requireDataSize } from '../tree/format.ts';
import { treeLayout } from '../tree/layout.ts';
import { requireRootHashSize, requireTreeSize, type VerityReport } from '../tree/verify.ts';
import { type FecFileRequest, fecGeometryOf } from './fec-files.ts';
import { Mender, type Repairs } from './mender.ts';
import { type KnownTree, knownTree, type TreeInFile, verifyOpenFiles } from './verify-files.ts';

export interface RepairFilesRequest {
  readonly dataPath: string;
  readonly hashPath: string;
  readonly tree: TreeInFile;
  readonly rootHash: Uint8Array;
  readonly fec: FecFileRequest;
  readonly threads?: number | undefined;
}

/** What was mended, and how things stand now. */
export interface RepairReport extends KnownTree, Repairs {
  /** The check after the repair. */
  readonly after: VerityReport;
}

/**
 * Finds damaged blocks and writes them anew, where they stand, from the parity. A block is written only when its new
 * content has the digest that the tree above it holds, up to the given root hash: nothing right can be lost, and an
 * interrupted repair has only made things better.
 * @throws {VerityError} as `verifyFiles`; 'fec_roots', 'fec_geometry', 'fec_short'.
 * @throws {BytesError} what the host refuses.
 */
export async function repairFiles(request: RepairFilesRequest, work: LongWork = {}): Promise<RepairReport> {
  using data = FileSource.open(request.dataPath, { changes: true });
  using hash = FileSource.open(request.hashPath, { changes: true });
  using parity = FileSource.open(request.fec.path);
  const known = knownTree(hash, request.tree);
  const { parameters, place } = known;
  const layout = treeLayout(parameters, place);
  requireRootHashSize(request.rootHash, parameters, layout);
  requireDataSize(data, parameters);
  requireTreeSize(hash, layout);
  const geometry = fecGeometryOf(parameters, layout, hash.size, request.fec, request.hashPath);
  using dataOut = InPlaceFile.open(request.dataPath);
  using hashOut = InPlaceFile.open(request.hashPath);
  const mender = new Mender(parameters, layout, geometry, request.rootHash, {
    data: { source: data, offsetBytes: 0 },
    hash: { source: hash, offsetBytes: layout.start },
    parity: { source: parity, offsetBytes: request.fec.offset },
    dataOut,
    hashOut,
  });
  const check = (): Promise<VerityReport> =>
    verifyOpenFiles(data, hash, known, request.rootHash, request.threads, work);

  // A mended hash block brings the blocks below it into view, and each mended block helps the others of its round.
  let after = await check();
  for (let before: VerityReport | undefined; !after.isGood; ) {
    // A device that does not keep what is written to it would be mended for ever.
    if (before !== undefined && !isBetter(after, before)) break;
    if (!(await mender.mend(after, work))) break;
    before = after;
    after = await check();
  }
  dataOut.flush();
  hashOut.flush();
  return { ...known, after, ...mender.repairs() };
}

/** True when there is less damage in the highest level that differs: what is mended there may bring more to light below. */
function isBetter(after: VerityReport, before: VerityReport): boolean {
  if (after.rootMatches !== before.rootMatches) return after.rootMatches;
  for (let level = after.corruptHash.length - 1; level >= 0; level--) {
    const [now, then] = [after.corruptHash[level] as BlockSet, before.corruptHash[level] as BlockSet];
    if (now.count !== then.count) return now.count < then.count;
  }
  return after.corruptData.count < before.corruptData.count;
}
