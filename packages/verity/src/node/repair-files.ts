// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { commitTogether, FileSource, isSameFile } from '@vouchsafe/bytes/node';
import { VerityError } from '../error.ts';
import type { BlockSet } from '../tree/block-set.ts';
import { requireDataSize } from '../tree/format.ts';
import { treeLayout } from '../tree/layout.ts';
import { requireRootHashSize, requireTreeSize, type VerityReport } from '../tree/verify.ts';
import { type FecFileRequest, fecGeometryOf, requireParitySize } from './fec-files.ts';
import { type KnownTree, knownTree, type TreeInFile } from './known-tree.ts';
import { openMendTarget } from './mend-target.ts';
import { Mender, type Repairs } from './mender.ts';
import { verifyOpenFiles } from './verify-files.ts';

export interface RepairFilesRequest {
  readonly dataPath: string;
  readonly hashPath: string;
  readonly tree: TreeInFile;
  readonly rootHash: Uint8Array;
  readonly fec: FecFileRequest;
  /** Leave the data alone and mend a copy of it. One name for both copies where data and tree are in one file. */
  readonly outputData?: string | undefined;
  /** Leave the tree alone and mend a copy of its file. */
  readonly outputHash?: string | undefined;
  /** Replace what is at the outputs' places. */
  readonly force?: boolean | undefined;
  /** As many as the machine and the size suggest when absent. */
  readonly threads?: number | undefined;
}

/** What was mended, and how things stand now. */
export interface RepairReport extends KnownTree, Repairs {
  /** The check after the repair. */
  readonly after: VerityReport;
  /** Octets of parity that the roots call for, and octets that are there. */
  readonly parity: { readonly neededBytes: number; readonly foundBytes: number };
}

/**
 * Finds damaged blocks and writes them anew from the parity: where they stand, or in copies, which appear whole or not
 * at all. A block is written only when its new content has the digest that the tree above it holds, up to the given root
 * hash: nothing right can be lost, and an interrupted repair has only made things better.
 * @throws {VerityError} as `verifyFiles`; 'fec_roots', 'fec_geometry', 'fec_short'; 'options_invalid' for an output that
 * is an input or the other output.
 * @throws {BytesError} 'exists' for an output that is there already; 'no_permission' for a file that has damage and
 * cannot be written; what else the host refuses.
 */
export async function repairFiles(request: RepairFilesRequest, work: LongWork = {}): Promise<RepairReport> {
  requireOutputsApart(request);
  const { dataPath, hashPath, outputData, outputHash, rootHash, fec, force = false } = request;
  using data = openMendTarget(dataPath, outputData, force);
  using otherHash = isOneOutput(request) ? undefined : openMendTarget(hashPath, outputHash, force);
  const hash = otherHash ?? data;
  using parity = FileSource.open(fec.path);
  const known = knownTree(hash.original, request.tree);
  const { parameters, place } = known;
  const layout = treeLayout(parameters, place);
  requireRootHashSize(rootHash, parameters, layout);
  requireDataSize(data.original, parameters);
  requireTreeSize(hash.original, layout);
  const geometry = fecGeometryOf(parameters, layout, hash.original.size, fec, hashPath);
  requireParitySize(parity, fec, geometry);
  await data.prepare(work);
  await otherHash?.prepare(work);

  const mender = new Mender(parameters, layout, geometry, rootHash, {
    data: { source: data.source, offsetBytes: 0 },
    hash: { source: hash.source, offsetBytes: layout.start },
    parity: { source: parity, offsetBytes: fec.offset },
    dataOut: data,
    hashOut: hash,
  });
  const check = (): Promise<VerityReport> =>
    verifyOpenFiles(data.source, hash.source, known, rootHash, request.threads, work);

  // A mended hash block brings the blocks below it into view, and each mended block helps the others of its round.
  let after = await check();
  for (let before: VerityReport | undefined; !after.isGood; ) {
    // A device that does not keep what is written to it would be mended for ever.
    if (before !== undefined && !isBetter(after, before)) break;
    if (!(await mender.mend(after, work))) break;
    before = after;
    after = await check();
  }
  commitTogether(otherHash === undefined ? [data] : [data, otherHash]);
  const sizes = { neededBytes: geometry.paritySizeBytes, foundBytes: parity.size - fec.offset };
  return { ...known, after, parity: sizes, ...mender.repairs() };
}

/** Data and tree in one file, and one copy of it. */
function isOneOutput({ dataPath, hashPath, outputData, outputHash }: RepairFilesRequest): boolean {
  if (outputData === undefined || outputHash === undefined) return false;
  return isSameFile(dataPath, hashPath) && isSameFile(outputData, outputHash);
}

/** A copy must not take the place of what it is made from, nor of the other. */
function requireOutputsApart(request: RepairFilesRequest): void {
  const { dataPath, hashPath, outputData, outputHash, fec } = request;
  const outputs = [outputData, outputHash].filter((path) => path !== undefined);
  for (const output of outputs) {
    const input = [dataPath, hashPath, fec.path].find((path) => isSameFile(path, output));
    if (input !== undefined) {
      throw new VerityError(
        'options_invalid',
        `${output}: this output is also an input; choose another name, or leave the option away to mend it where it stands`,
      );
    }
  }
  const [a, b] = outputs;
  if (a !== undefined && b !== undefined && isSameFile(a, b) && !isOneOutput(request)) {
    throw new VerityError('options_invalid', `${a}: data and tree are two files, their copies need two names`);
  }
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
