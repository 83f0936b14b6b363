// SPDX-License-Identifier: Apache-2.0
import { ascii, type LongWork, toHex } from '@vouchsafe/base';
import { commitTogether, FileSource, isSameFile, OutputFile, openRegion, type Region } from '@vouchsafe/bytes/node';
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import { DEFAULT_SEED, SEED_BYTES, saltFromSeed, uuidFromRootHash, uuidFromSeed } from '../derive.ts';
import { VerityError } from '../error.ts';
import type { FecGeometry } from '../fec/fec-layout.ts';
import { requireDataSize, writeSuperblock } from '../tree/format.ts';
import { type HashAreaPlace, type TreeLayout, treeLayout } from '../tree/layout.ts';
import { requireValidParameters, type VerityParameters } from '../tree/parameters.ts';
import { requireUuid, SUPERBLOCK_BYTES } from '../tree/superblock.ts';
import { countDataBlocks } from './count-blocks.ts';
import {
  type FecFileRequest,
  fecGeometryOf,
  isParityInHashFile,
  requireParityApart,
  writeParity,
} from './fec-files.ts';
import { threadsFor } from './threads.ts';
import { writeTree } from './write-tree.ts';

export interface FormatFilesRequest {
  readonly dataPath: string;
  /** May be the data file, with a hash offset behind the data. */
  readonly hashPath: string;
  readonly hashType: 0 | 1;
  readonly algorithm: DigestAlgorithm;
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  /** All of the data file, or all before the tree in the same file, when absent. */
  readonly dataBlocks?: number | undefined;
  /** Derived from the seed when absent. */
  readonly salt?: Uint8Array | undefined;
  /** Derived from the seed, or without one from the root hash, when absent. */
  readonly uuid?: string | undefined;
  /** 16 octets that salt and UUID are derived from, as systemd-repart does; all zeros when absent. */
  readonly seed?: Uint8Array | undefined;
  /** Octets. */
  readonly hashOffset: number;
  readonly hasSuperblock: boolean;
  readonly fec?: FecFileRequest | undefined;
  /** A file for the root hash, in lower-case hexadecimal without a line feed, as veritysetup writes it. */
  readonly rootHashPath?: string | undefined;
  /** Replace what is at the output's place. */
  readonly force?: boolean | undefined;
  /** As many as the machine and the size suggest when absent. */
  readonly threads?: number | undefined;
}

export interface FormattedFiles {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly rootHash: Uint8Array;
  /** Of the superblock; undefined when there is none. */
  readonly uuid: string | undefined;
  /** Octets from the start of the hash file to the end of the tree. */
  readonly hashEnd: number;
  readonly fec: FecGeometry | undefined;
}

/**
 * Formats as `veritysetup format` does, byte for byte with the same salt and UUID. Outputs appear whole or not at all.
 * @throws {VerityError} 'options_invalid', 'data_size', 'fec_roots', 'fec_geometry'.
 * @throws {BytesError} 'exists' for an output that is there already; what the host refuses.
 */
export async function formatFiles(request: FormatFilesRequest, work: LongWork = {}): Promise<FormattedFiles> {
  using data = FileSource.open(request.dataPath);
  const place: HashAreaPlace = { offset: request.hashOffset, hasSuperblock: request.hasSuperblock };
  const parameters = parametersOf(request, data);
  const layout = treeLayout(parameters, place);
  requireDataSize(data, parameters);
  requireApart(request, parameters, layout);
  if (request.uuid !== undefined) requireUuid(request.uuid);

  const force = request.force ?? false;
  const { dataPath, hashPath, fec, rootHashPath } = request;
  if (fec !== undefined) requireParityApart(fec, request, parameters, layout);
  if (rootHashPath !== undefined) requireRootHashApart(rootHashPath, [dataPath, hashPath, fec?.path]);
  const outputs: Output[] = [];
  try {
    const hash = openRegion({
      path: hashPath,
      offset: place.offset,
      length: lengthInHashFile(request, parameters, layout),
      force,
    });
    outputs.push(hash);
    // Its place is taken before the work begins, so that it cannot fail at the end.
    const rootHashFile = rootHashPath === undefined ? undefined : OutputFile.create(rootHashPath, { force });
    if (rootHashFile !== undefined) outputs.push(rootHashFile);
    // What was there must not look like the head of a half-written tree, should this end early.
    if (force && place.hasSuperblock) hash.write(place.offset, new Uint8Array(SUPERBLOCK_BYTES));
    const threads = threadsFor(parameters.dataBlocks * parameters.dataBlockSize, request.threads);
    using hashFile = hash.reader(layout.end);
    const rootHash = await writeTree(threads, data, hashFile, hash, { parameters, place }, work);
    // On a device the head must not be there before the tree is.
    if (hash.isInPlace) hash.flush();
    const uuid = writeSuperblock({ parameters, place, hash, uuid: uuidOf(request, rootHash) }, rootHash);
    rootHashFile?.write(0, ascii(toHex(rootHash)));
    const parity = fec && (await writeParity({ data, hash, hashPath, fec, force }, parameters, layout, work));
    if (parity?.output !== undefined) outputs.push(parity.output);
    commitTogether(outputs);
    return { parameters, place, rootHash, uuid, hashEnd: layout.end, fec: parity?.geometry };
  } catch (error) {
    for (const output of outputs) discardQuietly(output);
    throw error;
  }
}

/** What is kept or discarded together. */
type Output = Pick<Region, 'flush' | 'commit' | 'publish' | 'discard'>;

/** With force the root hash would take the place of what it is the root hash of. */
function requireRootHashApart(rootHashPath: string, others: readonly (string | undefined)[]): void {
  const same = others.find((other) => other !== undefined && isSameFile(rootHashPath, other));
  if (same === undefined) return;
  throw new VerityError(
    'options_invalid',
    `${rootHashPath}: the root hash would replace ${same}, which is the data, the tree or the parity; choose another file`,
  );
}

/** What led here is what the user has to know, not that cleaning up failed as well. */
function discardQuietly(output: Output): void {
  try {
    output.discard();
  } catch {
    // A partial file may be left; it does not have the final name.
  }
}

/** Octets from the hash offset to the end of what goes into the hash file: the tree, and the parity if it is there too. */
function lengthInHashFile(
  { fec, hashPath, hashOffset: start }: FormatFilesRequest,
  p: VerityParameters,
  layout: TreeLayout,
): number {
  if (fec === undefined || !isParityInHashFile(fec, hashPath)) return layout.end - start;
  const { paritySizeBytes } = fecGeometryOf(p, layout, layout.end, fec, hashPath);
  return Math.max(layout.end, fec.offset + paritySizeBytes) - start;
}

function parametersOf(request: FormatFilesRequest, data: FileSource): VerityParameters {
  const { hashType, algorithm, dataBlockSize, hashBlockSize } = request;
  const seed = request.seed ?? DEFAULT_SEED;
  if (seed.length !== SEED_BYTES)
    throw new VerityError('options_invalid', `the seed has ${seed.length} octets, it must have ${SEED_BYTES}`);
  const salt = request.salt ?? saltFromSeed(seed);
  const uncounted = { hashType, algorithm, dataBlockSize, hashBlockSize, salt };
  const dataBlocks = request.dataBlocks ?? countDataBlocks(data, uncounted, request.hashPath, request.hashOffset);
  const parameters = { ...uncounted, dataBlocks };
  requireValidParameters(parameters);
  return parameters;
}

/** Data and tree in one file must not overlap. */
function requireApart(
  { dataPath, hashPath, hashOffset }: FormatFilesRequest,
  p: VerityParameters,
  layout: TreeLayout,
): void {
  if (!isSameFile(dataPath, hashPath)) return;
  const dataEnd = p.dataBlocks * p.dataBlockSize;
  const hashStart = Math.min(hashOffset, ...layout.levels.map((level) => level.offset));
  if (hashStart < dataEnd) {
    throw new VerityError(
      'options_invalid',
      `${hashPath}: the tree would begin at octet ${hashStart}, inside the data, which ends at ${dataEnd}; choose a larger --hash-offset or another file`,
    );
  }
}

function uuidOf({ uuid, seed }: FormatFilesRequest, rootHash: Uint8Array): string {
  return uuid ?? (seed === undefined ? uuidFromRootHash(rootHash) : uuidFromSeed(seed));
}
