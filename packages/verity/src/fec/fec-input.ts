// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { VerityError, type VerityErrorCode } from '../error.ts';
import type { FecGeometry } from './fec-layout.ts';
import type { ReadColumn } from './parity-encoder.ts';

/** A part of a file or device that starts at `offsetBytes` and is as long as the layout says. */
export interface FecArea {
  readonly source: ByteSource;
  readonly offsetBytes: number;
}

/** What is protected. Data and hash area may lie on one source. */
export interface FecInput {
  readonly data: FecArea;
  /** From the first block of the tree, behind the superblock. */
  readonly hash: FecArea;
}

/** @throws {VerityError} with `code` when the area ends before `sizeBytes`. */
export function requireArea(area: FecArea, sizeBytes: number, what: string, code: VerityErrorCode): void {
  const { source, offsetBytes } = area;
  if (!Number.isSafeInteger(offsetBytes) || offsetBytes < 0 || offsetBytes + sizeBytes > source.size) {
    throw new VerityError(
      code,
      `${source.label}: expected ${sizeBytes} octets of ${what} from ${offsetBytes} on, but it ends at ${source.size}`,
    );
  }
}

/** @throws {VerityError} 'data_size', 'tree_short' when a source ends before the layout does. */
export function requireInput(geometry: FecGeometry, input: FecInput): void {
  requireArea(input.data, geometry.dataBlocks * geometry.blockSize, 'data', 'data_size');
  requireArea(input.hash, geometry.hashBlocks * geometry.blockSize, 'hash area', 'tree_short');
}

/** Fills `target` from octet `offset` of data, hash area and the zeros behind them, taken as one. */
function readInput(geometry: FecGeometry, input: FecInput, offset: number, target: Uint8Array): void {
  const end = offset + target.length;
  const dataEnd = geometry.dataBlocks * geometry.blockSize;
  const inputEnd = geometry.inputSizeBytes;
  if (offset < dataEnd) {
    input.data.source.read(input.data.offsetBytes + offset, target.subarray(0, Math.min(end, dataEnd) - offset));
  }
  if (end > dataEnd && offset < inputEnd) {
    const from = Math.max(offset, dataEnd);
    input.hash.source.read(
      input.hash.offsetBytes + from - dataEnd,
      target.subarray(from - offset, Math.min(end, inputEnd) - offset),
    );
  }
  if (end > inputEnd) target.fill(0, Math.max(0, inputEnd - offset));
}

/** Reads columns of the codewords from `codeword` on; a target's length says of how many. */
export function columnReader(geometry: FecGeometry, input: FecInput, codeword: number): ReadColumn {
  return (column, target) => readInput(geometry, input, column * geometry.codewords + codeword, target);
}
