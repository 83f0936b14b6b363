// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, type Extent, readScattered, requireRange } from './source.ts';

/**
 * A part of a source as a source of its own: a partition of a disk, a hash tree behind the data.
 * @throws {BytesError} 'out_of_range' when the part is not inside the whole.
 */
export function sliceSource(whole: ByteSource, offset: number, size: number, label = whole.label): ByteSource {
  requireRange(whole, offset, size);
  const part: ByteSource = {
    size,
    label,
    read(at, target) {
      requireRange(part, at, target.length);
      whole.read(offset + at, target);
    },
    readScattered(at, targets) {
      requireRange(part, at, totalLength(targets));
      readScattered(whole, offset + at, targets);
    },
  };
  const extentsOf = whole.dataExtents?.bind(whole);
  if (extentsOf) {
    // Asked for with every batch of blocks, and a file may have many.
    let clipped: readonly Extent[] | undefined;
    part.dataExtents = () => {
      clipped ??= clipExtents(extentsOf(), offset, size);
      return clipped;
    };
  }
  return part;
}

/** Octets in all of the targets. */
export function totalLength(targets: readonly Uint8Array[]): number {
  let total = 0;
  for (const target of targets) total += target.length;
  return total;
}

/** The part of the extents that lies in [offset, offset + size), counted from its start. */
export function clipExtents(extents: readonly Extent[], offset: number, size: number): Extent[] {
  return extents
    .map(({ start, end }) => ({ start: Math.max(0, start - offset), end: Math.min(size, end - offset) }))
    .filter(({ start, end }) => start < end);
}
