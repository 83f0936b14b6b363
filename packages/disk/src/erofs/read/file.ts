// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../../error.ts';
import { chunkSource } from './chunks.ts';
import { compressedSource } from './compressed.ts';
import { flatSource } from './flat.ts';
import { type ErofsInode, readErofsInode } from './inode.ts';
import { erofsMalformed } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** PATH_MAX of Linux, <linux/limits.h>, with the NUL that ends a path there. */
const MAX_TARGET_BYTES = 4095;

/**
 * A file's content.
 * @throws {DiskError} 'not_a_file' for what has none, 'erofs_malformed', 'erofs_unsupported'; reading may throw these too.
 * @throws {BytesError}
 */
export function openErofsFile(volume: ErofsVolume, inode: ErofsInode): ByteSource {
  if (inode.kind !== 'file') {
    throw new DiskError(
      'not_a_file',
      `${volume.source.label}: inode ${inode.nid}: expected a file, found a ${inode.kind}`,
    );
  }
  return dataSource(volume, inode, volume.source);
}

/**
 * The target of a symbolic link.
 * @throws {DiskError} 'not_a_file' for anything else, 'name_invalid' for one that is not UTF-8, 'erofs_malformed'.
 * @throws {BytesError}
 */
export function readErofsLink(volume: ErofsVolume, inode: ErofsInode): string {
  const { source } = volume;
  const where = `${source.label}: inode ${inode.nid}`;
  if (inode.kind !== 'symlink') {
    throw new DiskError('not_a_file', `${where}: expected a symbolic link, found a ${inode.kind}`);
  }
  if (inode.sizeBytes === 0 || inode.sizeBytes > MAX_TARGET_BYTES) {
    throw erofsMalformed(source, `inode ${inode.nid}: expected a target of 1 to ${MAX_TARGET_BYTES} octets`);
  }
  const octets = readBytes(metadataSource(volume, inode), 0, inode.sizeBytes);
  if (octets.includes(0)) throw erofsMalformed(source, `inode ${inode.nid}: expected a target without NUL`);
  try {
    return parseUtf8(octets);
  } catch (cause) {
    throw new DiskError('name_invalid', `${where}: expected a link target in UTF-8`, { cause });
  }
}

/** Data that is read in small parts, near other metadata: a directory's, a link's. */
export function metadataSource(volume: ErofsVolume, inode: ErofsInode): ByteSource {
  const { pages } = volume.layout;
  const image: ByteSource = {
    size: volume.source.size,
    label: volume.source.label,
    read: (offset, target) => target.set(pages.read(offset, target.length)),
  };
  return dataSource(volume, inode, image);
}

/** Whatever the data is: content, entries, a target, or the ends of other files. */
export function dataSource(volume: ErofsVolume, inode: ErofsInode, image: ByteSource): ByteSource {
  const label = `${volume.source.label}: inode ${inode.nid}`;
  if (inode.layout === 'plain' || inode.layout === 'inline') return flatSource(volume, inode, image, label);
  if (inode.layout === 'chunked') return chunkSource(volume, inode, label);
  return compressedSource(volume, inode, label, () => packedSource(volume, inode));
}

const PACKED = new WeakMap<ErofsVolume, ByteSource>();

/** The inode that holds the ends of files. One source for all files, since it keeps what it decompressed last. */
function packedSource(volume: ErofsVolume, inode: ErofsInode): ByteSource {
  const { packedNid } = volume.layout;
  // It may itself be compressed, but not have its end in itself.
  if (packedNid === undefined || packedNid === inode.nid) {
    throw erofsMalformed(volume.source, `inode ${inode.nid}: expected a packed inode, as its end is there`);
  }
  let packed = PACKED.get(volume);
  if (packed === undefined) {
    packed = dataSource(volume, readErofsInode(volume, packedNid), volume.source);
    PACKED.set(volume, packed);
  }
  return packed;
}
