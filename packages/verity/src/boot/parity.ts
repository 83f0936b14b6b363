// SPDX-License-Identifier: Apache-2.0
import { VerityError } from '../error.ts';
import { fecGeometry, fecHashBlocks } from '../fec/fec-layout.ts';
import { type HashAreaPlace, treeLayout } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';

/** Parity as the kernel has to be told of it. */
export interface ParityDescription {
  /** The device's name at boot. */
  readonly device: string;
  /** Octets from the start of the device; a multiple of the block size. */
  readonly offset: number;
  /** Parity bytes of each codeword, 2 to 24. */
  readonly roots: number;
  /** Blocks that it covers: the data, and the hash area to its end. */
  readonly blocks: number;
}

export interface ParityRequest {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  /** Octets of the hash file as it was when the parity was made: all of it is covered, whatever it is copied to later. */
  readonly hashSizeBytes: number;
  readonly device: string;
  /** Behind the tree on the hash device, and not on one of its own. */
  readonly isOnHashDevice: boolean;
  readonly offset: number;
  readonly roots: number;
}

/**
 * Computes what parity covers.
 * @throws {VerityError} 'fec_geometry', 'fec_roots'; 'options_invalid' for an offset inside a block, which the kernel
 * cannot be told (Linux, Documentation/admin-guide/device-mapper/verity.rst, fec_start).
 */
export function describeParity(request: ParityRequest): ParityDescription {
  const { parameters: p, place, hashSizeBytes, device, isOnHashDevice, offset, roots } = request;
  if (p.dataBlockSize !== p.hashBlockSize) {
    throw new VerityError(
      'fec_geometry',
      `error correction needs data and hash blocks of one size, these have ${p.dataBlockSize} and ${p.hashBlockSize} octets`,
    );
  }
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % p.dataBlockSize !== 0) {
    throw new VerityError(
      'options_invalid',
      `the parity's offset is ${offset}, the kernel takes a multiple of the block size, ${p.dataBlockSize}`,
    );
  }
  const hashBlocks = fecHashBlocks({
    blockSize: p.hashBlockSize,
    treeOffsetBytes: treeLayout(p, place).start,
    hashDeviceSizeBytes: hashSizeBytes,
    fecOffsetBytes: isOnHashDevice ? offset : undefined,
  });
  const geometry = fecGeometry({ blockSize: p.dataBlockSize, roots, dataBlocks: p.dataBlocks, hashBlocks });
  return { device, offset, roots, blocks: geometry.inputBlocks };
}
