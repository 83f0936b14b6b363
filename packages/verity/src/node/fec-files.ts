// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import { type FileSource, isSameFile, openRegion, type Region } from '@vouchsafe/bytes/node';
import { VerityError } from '../error.ts';
import { writeFec } from '../fec/fec-encode.ts';
import { type FecGeometry, fecGeometry, fecHashBlocks } from '../fec/fec-layout.ts';
import type { TreeLayout } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';

/** Where parity is, or goes. */
export interface FecFileRequest {
  /** May be the hash file, with an offset behind the tree. */
  readonly path: string;
  /** Octets from the start of the file. */
  readonly offset: number;
  /** Parity bytes of each codeword, 2 to 24. */
  readonly roots: number;
}

/** True when tree and parity are in one file, whether it exists yet or not. */
export function isParityInHashFile(fec: FecFileRequest, hashPath: string): boolean {
  return isSameFile(fec.path, hashPath);
}

/**
 * The parity must not go where the data or the tree is; behind them, in their files, it may.
 * @throws {VerityError} 'options_invalid'.
 */
export function requireParityApart(
  fec: FecFileRequest,
  { dataPath, hashPath }: { readonly dataPath: string; readonly hashPath: string },
  p: VerityParameters,
  layout: TreeLayout,
): void {
  if (!Number.isSafeInteger(fec.offset) || fec.offset < 0) {
    throw new VerityError(
      'options_invalid',
      `the parity's offset is ${fec.offset}, it must be a whole number of octets`,
    );
  }
  requireBehind(fec, hashPath, 'tree', layout.end, p.hashBlockSize);
  requireBehind(fec, dataPath, 'data', p.dataBlocks * p.dataBlockSize, p.dataBlockSize);
}

function requireBehind(fec: FecFileRequest, path: string, what: string, endBytes: number, blockSize: number): void {
  if (fec.offset >= endBytes || !isSameFile(fec.path, path)) return;
  const first = Math.ceil(endBytes / blockSize) * blockSize;
  throw new VerityError(
    'options_invalid',
    `${fec.path}: the parity would begin at octet ${fec.offset}, before the ${what} ends at ${endBytes}; choose --fec-offset ${first} or more, or another file`,
  );
}

/**
 * The layout of the parity for a tree in a file.
 * @param hashSize octets of the hash file or device.
 * @throws {VerityError} 'fec_roots', 'fec_geometry'.
 */
export function fecGeometryOf(
  p: VerityParameters,
  layout: TreeLayout,
  hashSize: number,
  fec: FecFileRequest,
  hashPath: string,
): FecGeometry {
  if (p.dataBlockSize !== p.hashBlockSize) {
    throw new VerityError(
      'fec_geometry',
      `error correction needs data and hash blocks of one size, these have ${p.dataBlockSize} and ${p.hashBlockSize} octets`,
    );
  }
  const hashBlocks = fecHashBlocks({
    blockSize: p.hashBlockSize,
    treeOffsetBytes: layout.start,
    hashDeviceSizeBytes: hashSize,
    fecOffsetBytes: isParityInHashFile(fec, hashPath) ? fec.offset : undefined,
  });
  return fecGeometry({ blockSize: p.dataBlockSize, roots: fec.roots, dataBlocks: p.dataBlocks, hashBlocks });
}

/**
 * The parity must be all there, as it would be with another number of roots.
 * @throws {VerityError} 'fec_short'.
 */
export function requireParitySize(parity: FileSource, fec: FecFileRequest, { paritySizeBytes }: FecGeometry): void {
  const sizeBytes = Math.max(0, parity.size - fec.offset);
  if (sizeBytes >= paritySizeBytes) return;
  throw new VerityError(
    'fec_short',
    `${fec.path}: the parity has ${sizeBytes} octets from ${fec.offset} on, ${fec.roots} roots need ${paritySizeBytes}; is --fec-roots right?`,
  );
}

/** What `writeParity` needs besides the layout. */
export interface ParityRequest {
  readonly data: FileSource;
  readonly hash: Region;
  readonly hashPath: string;
  readonly fec: FecFileRequest;
  readonly force: boolean;
}

/**
 * Writes the parity of data and tree.
 * @returns the layout, and the output if it is another than the hash file; the caller commits or discards it.
 */
export async function writeParity(
  request: ParityRequest,
  p: VerityParameters,
  layout: TreeLayout,
  work: LongWork,
): Promise<{ readonly geometry: FecGeometry; readonly output: Region | undefined }> {
  const { data, hash, hashPath, fec, force } = request;
  const inHashFile = isParityInHashFile(fec, hashPath);
  // What lies between tree and parity in one file is protected too, so it must be there.
  if (inHashFile && hash.size() < fec.offset) hash.write(fec.offset - 1, new Uint8Array(1));
  const hashSize = Math.max(layout.end, hash.size());
  const geometry = fecGeometryOf(p, layout, hashSize, fec, hashPath);
  const output = inHashFile
    ? undefined
    : openRegion({ path: fec.path, offset: fec.offset, length: geometry.paritySizeBytes, force });
  try {
    using hashFile = hash.reader(hashSize);
    const input = { data: { source: data, offsetBytes: 0 }, hash: { source: hashFile, offsetBytes: layout.start } };
    await writeFec(geometry, input, { sink: output ?? hash, offsetBytes: fec.offset }, work);
    return { geometry, output };
  } catch (error) {
    output?.discard();
    throw error;
  }
}
