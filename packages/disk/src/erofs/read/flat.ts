// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, requireRange, sliceSource } from '@vouchsafe/bytes';
import { NO_BLOCK } from '../structures.ts';
import type { ErofsInode } from './inode.ts';
import { erofsMalformed } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/**
 * Data in blocks that follow each other; of the inline layout, the last part is behind the inode, inside one block.
 * Linux, fs/erofs/data.c, erofs_map_blocks_flatmode.
 * @param image the image to read it from: its pages for metadata.
 * @throws {DiskError} 'erofs_malformed' when any of it is not inside the image.
 */
export function flatSource(volume: ErofsVolume, inode: ErofsInode, image: ByteSource, label: string): ByteSource {
  const { sizeBytes, place, layout } = inode;
  const { blockBytes } = volume;
  const malformed = (problem: string) => erofsMalformed(volume.source, `inode ${inode.nid}: ${problem}`);
  if (layout === 'plain' && place.union === NO_BLOCK) return holeSource(sizeBytes, label);
  const headBytes = layout === 'plain' ? sizeBytes : Math.max(0, Math.ceil(sizeBytes / blockBytes) - 1) * blockBytes;
  const headOffset = headBytes === 0 ? 0 : place.union * blockBytes;
  if (headOffset + headBytes > image.size) {
    throw malformed(`expected data inside the image, found ${sizeBytes} octets from block ${place.union} on`);
  }
  const head = sliceSource(image, headOffset, headBytes, label);
  const tailBytes = sizeBytes - headBytes;
  if (tailBytes === 0) return head;
  const tailOffset = place.restOffset;
  if ((tailOffset % blockBytes) + tailBytes > blockBytes || tailOffset + tailBytes > image.size) {
    throw malformed(`expected the last ${tailBytes} octets behind it in one block`);
  }
  const tail = sliceSource(image, tailOffset, tailBytes, label);
  if (headBytes === 0) return tail;
  const whole: ByteSource = {
    size: sizeBytes,
    label,
    read(offset, target) {
      requireRange(whole, offset, target.length);
      const inHead = Math.max(0, Math.min(target.length, headBytes - offset));
      if (inHead > 0) head.read(offset, target.subarray(0, inHead));
      if (inHead < target.length) tail.read(offset + inHead - headBytes, target.subarray(inHead));
    },
  };
  return whole;
}

function holeSource(size: number, label: string): ByteSource {
  const hole: ByteSource = {
    size,
    label,
    read(offset, target) {
      requireRange(hole, offset, target.length);
      target.fill(0);
    },
    dataExtents: () => [],
  };
  return hole;
}
