// SPDX-License-Identifier: Apache-2.0
import type { ByteSource, Extent } from '@vouchsafe/bytes';

/** Blocks that lie together and are either all to be read or all known to be zero. */
export interface BlockRun {
  readonly first: number;
  readonly count: number;
  readonly isHole: boolean;
}

/**
 * Cuts the blocks [first, end) into runs of at most `maxCount`, by what the source knows of its holes. A block that
 * only touches data is data.
 */
export function* blockRuns(
  source: ByteSource,
  blockSize: number,
  first: number,
  end: number,
  maxCount: number,
): Generator<BlockRun> {
  const extents = source.dataExtents?.() ?? [{ start: 0, end: source.size }];
  let next = firstExtentFrom(extents, first * blockSize);
  for (let block = first; block < end; ) {
    let extent = extents[next];
    while (extent !== undefined && Math.ceil(extent.end / blockSize) <= block) extent = extents[++next];
    const dataFrom = extent === undefined ? end : Math.floor(extent.start / blockSize);
    const isHole = dataFrom > block;
    const runEnd = isHole ? dataFrom : Math.ceil((extent as Extent).end / blockSize);
    const count = Math.min(runEnd, end, block + maxCount) - block;
    yield { first: block, count, isHole };
    block += count;
  }
}

/** Index of the first extent that ends behind `offset`, by bisection: workers start in the middle of large files. */
function firstExtentFrom(extents: readonly Extent[], offset: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((extents[middle] as Extent).end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
