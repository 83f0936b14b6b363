// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, type Extent, requireRange } from '@vouchsafe/bytes';
import { alignUp } from '../../align.ts';
import { NO_BLOCK } from '../structures.ts';
import type { ErofsInode } from './inode.ts';
import { erofsMalformed, erofsUnsupported } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** Bits of the format of chunks. Linux, fs/erofs/erofs_fs.h, EROFS_CHUNK_FORMAT_*. */
const BLOCK_BITS_MASK = 0x1f;
const HAS_INDEXES = 0x20;
const BLOCK_MAP_BYTES = 4;
const INDEX_BYTES = 8;

/**
 * Data in chunks of one size, each anywhere in the image or a hole, by a table behind the inode. Linux, fs/erofs/data.c,
 * erofs_map_blocks.
 * @throws {DiskError} 'erofs_malformed' when the table, and on reading a chunk, is not inside the image,
 * 'erofs_unsupported' for data on other devices.
 */
export function chunkSource(volume: ErofsVolume, inode: ErofsInode, label: string): ByteSource {
  const { source, blockBytes, layout } = volume;
  const { sizeBytes, place, nid } = inode;
  const format = place.union & 0xffff;
  if ((format & ~(BLOCK_BITS_MASK | HAS_INDEXES)) !== 0) {
    throw erofsUnsupported(source, `inode ${nid}: format of chunks 0x${format.toString(16)}`);
  }
  const chunkBytes = blockBytes * 2 ** (format & BLOCK_BITS_MASK);
  const unit = (format & HAS_INDEXES) !== 0 ? INDEX_BYTES : BLOCK_MAP_BYTES;
  const count = Math.ceil(sizeBytes / chunkBytes);
  const table = alignUp(place.restOffset, unit);
  if (table + count * unit > source.size) {
    throw erofsMalformed(source, `inode ${nid}: expected a table of ${count} chunks inside the image`);
  }

  /** Octets from the start of the image to a chunk; undefined for a hole. */
  const offsetOf = (index: number): number | undefined => {
    const cell = layout.pages.read(table + index * unit, unit);
    const view = new DataView(cell.buffer, cell.byteOffset, unit);
    // Of the longer form: high bits of the block, which need a feature of their own, the device, and the block.
    if (unit === INDEX_BYTES && view.getUint16(2, true) !== 0) {
      throw erofsUnsupported(source, `inode ${nid}: chunk ${index} is on another device`);
    }
    const block = view.getUint32(unit - 4, true);
    if (block === NO_BLOCK) return undefined;
    const used = Math.min(chunkBytes, sizeBytes - index * chunkBytes);
    if (block * blockBytes + used > source.size) {
      throw erofsMalformed(source, `inode ${nid}: expected chunk ${index} inside the image, found block ${block}`);
    }
    return block * blockBytes;
  };

  let extents: Extent[] | undefined;
  const file: ByteSource = {
    size: sizeBytes,
    label,
    read(offset, target) {
      requireRange(file, offset, target.length);
      for (let done = 0; done < target.length; ) {
        const index = Math.floor((offset + done) / chunkBytes);
        const within = offset + done - index * chunkBytes;
        const part = target.subarray(done, done + Math.min(target.length - done, chunkBytes - within));
        const at = offsetOf(index);
        if (at === undefined) part.fill(0);
        else source.read(at + within, part);
        done += part.length;
      }
    },
    dataExtents() {
      extents ??= dataExtents(count, chunkBytes, sizeBytes, offsetOf);
      return extents;
    },
  };
  return file;
}

function dataExtents(
  count: number,
  chunkBytes: number,
  sizeBytes: number,
  offsetOf: (index: number) => number | undefined,
): Extent[] {
  const extents: { start: number; end: number }[] = [];
  for (let index = 0; index < count; index++) {
    if (offsetOf(index) === undefined) continue;
    const start = index * chunkBytes;
    const end = Math.min(sizeBytes, start + chunkBytes);
    const last = extents.at(-1);
    if (last?.end === start) last.end = end;
    else extents.push({ start, end });
  }
  return extents;
}
