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
 * The parity must not go where the data or the tree is.
 * @throws {VerityError} 'options_invalid'.
 */
export function requireParityApart(fec: FecFileRequest, dataPath: string, hashPath: string, layout: TreeLayout): void {
  if (!Number.isSafeInteger(fec.offset) || fec.offset < 0) {
    throw new VerityError(
      'options_invalid',
      `the parity's offset is ${fec.offset}, it must be a whole number of octets`,
    );
  }
  if (isParityInHashFile(fec, hashPath)) {
    if (fec.offset >= layout.end) return;
    throw new VerityError(
      'options_invalid',
      `${fec.path}: the parity would begin at octet ${fec.offset}, before the tree ends at ${layout.end}; choose a larger --fec-offset or another file`,
    );
  }
  if (isSameFile(fec.path, dataPath)) {
    throw new VerityError('options_invalid', `${fec.path}: the parity would go into the data; choose another file`);
  }
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
