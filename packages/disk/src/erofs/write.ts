// SPDX-License-Identifier: Apache-2.0
import { type CancelSignal, utf8 } from '@vouchsafe/base';
import { type ByteSink, readBytes } from '@vouchsafe/bytes';
import { encode, isUuidText } from '@vouchsafe/codec';
import { copyRange } from '../copy.ts';
import { crc32cRaw } from '../crc32.ts';
import { DiskError } from '../error.ts';
import { FILE_TYPES } from '../file-mode.ts';
import { buildTree, type FileTree, type TreeNode } from '../tree/file-tree.ts';
import { encodeDirectoryData } from './dirents.ts';
import { type ErofsLayout, type ErofsTime, nidOf, type PlannedInode, planErofs } from './plan.ts';
import { erofsInodeCompact, erofsInodeExtended, erofsSuperBlock, SUPERBLOCK_OFFSET } from './structures.ts';
import { encodeXattrs, xattrCount } from './xattrs.ts';

/** Counts up when the same tree would give other octets; docs name it, and manifests may. */
export const EROFS_LAYOUT_VERSION = 1;

/** Older kernels mount only images whose blocks are as large as a page, which is 4096 octets on most machines. */
const BLOCK_BITS = 12;
const BLOCK_BYTES = 2 ** BLOCK_BITS;
/** EROFS_FEATURE_COMPAT_SB_CHKSUM and EROFS_FEATURE_COMPAT_MTIME. Linux, fs/erofs/erofs_fs.h. */
const FEATURE_COMPAT = 0x1 | 0x2;

export interface ErofsRequest {
  readonly tree: FileTree;
  /** In text form; `fileSystemUuidFromPartition` gives systemd-repart's. */
  readonly uuid: string;
  /** Of the image, and of all inodes with that very time, which are smaller then. */
  readonly timestampSeconds: number;
  /** At most 16 octets of UTF-8; none unless given. */
  readonly label?: string;
  readonly signal?: CancelSignal | undefined;
}

/** An image that is planned and can be written; making one reads no content. */
export interface ErofsImagePlan {
  /** A multiple of 4096. */
  readonly sizeBytes: number;
  readonly inodeCount: number;
  /** @throws {BytesError} from the sink or a content. */
  write(sink: ByteSink, offset?: number): void;
}

/**
 * Plans an EROFS image without compression. The same tree, UUID, time and label give the same octets for ever, in
 * `EROFS_LAYOUT_VERSION`; Linux 5.4 and later mount it.
 * @throws {DiskError} 'tree_invalid', 'name_invalid', 'options_invalid', 'limit'.
 */
export function planErofsImage(request: ErofsRequest): ErofsImagePlan {
  const { timestampSeconds, signal } = request;
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new DiskError(
      'options_invalid',
      `EROFS: expected a time in whole seconds since 1970, found ${timestampSeconds}`,
    );
  }
  if (!isUuidText(request.uuid)) {
    throw new DiskError('options_invalid', `EROFS: expected a UUID, found ${JSON.stringify(request.uuid)}`);
  }
  const volumeName = encodeVolumeName(request.label ?? '');
  const time: ErofsTime = { seconds: timestampSeconds, nanoseconds: 0 };
  const layout = planErofs(buildTree(request.tree), BLOCK_BYTES, time);
  const superblock = encode(erofsSuperBlock, {
    magic: 0xe0f5e1e2,
    checksum: 0,
    featureCompat: FEATURE_COMPAT,
    blockSizeBits: BLOCK_BITS,
    extensionSlots: 0,
    rootNid: nidOf(layout.inodes[0] as PlannedInode),
    inodes: BigInt(layout.inodes.length),
    epoch: BigInt(timestampSeconds),
    fixedNanoseconds: 0,
    blocks: layout.blocks,
    metaBlock: 0,
    xattrBlock: 0,
    uuid: request.uuid,
    volumeName,
    featureIncompat: 0,
    compression: 0,
    extraDevices: 0,
    deviceSlot: 0,
    directoryBlockBits: 0,
    xattrPrefixes: 0,
    xattrPrefixStart: 0,
    packedNid: 0n,
    xattrFilter: 0,
    reserved: new Uint8Array(23),
  });
  return {
    sizeBytes: layout.blocks * BLOCK_BYTES,
    inodeCount: layout.inodes.length,
    write: (sink, offset = 0) => {
      const image: ByteSink = { label: sink.label, write: (at, bytes) => sink.write(offset + at, bytes) };
      const nids = new Map(layout.inodes.map((inode) => [inode.node, nidOf(inode)] as const));
      const nid = (node: TreeNode): number => nids.get(node) as number;
      writeMetadata(image, layout, superblock, nid, signal);
      for (const inode of layout.inodes) writeBlocks(image, inode, nid, signal);
    },
  };
}

/** Octets of metadata that are put together before they are written. */
const WINDOW_BLOCKS = 256;

/** Inode by inode in the order of the image; the superblock comes with the first block, over which it has a checksum. */
function writeMetadata(
  image: ByteSink,
  { inodes, metaBlocks }: ErofsLayout,
  superblock: Uint8Array,
  nid: (node: TreeNode) => number,
  signal: CancelSignal | undefined,
): void {
  const byPlace = inodes.toSorted((a, b) => a.offsetBytes - b.offsetBytes);
  let next = 0;
  let carried = new Uint8Array(0);
  for (let block = 0; block < metaBlocks; block += WINDOW_BLOCKS) {
    signal?.throwIfAborted();
    const start = block * BLOCK_BYTES;
    const window = new Uint8Array(Math.min(WINDOW_BLOCKS, metaBlocks - block) * BLOCK_BYTES);
    window.set(carried);
    carried = new Uint8Array(0);
    for (; next < byPlace.length; next++) {
      const inode = byPlace[next] as PlannedInode;
      const at = inode.offsetBytes - start;
      if (at >= window.length) break;
      const octets = encodeInode(inode, nid);
      // Attributes may go on in the next blocks: at most 256 KiB of them, less than a window.
      const fitting = Math.min(octets.length, window.length - at);
      window.set(octets.subarray(0, fitting), at);
      if (fitting < octets.length) carried = octets.slice(fitting);
    }
    if (block === 0) {
      window.set(superblock, SUPERBLOCK_OFFSET);
      const crc = crc32cRaw(window.subarray(SUPERBLOCK_OFFSET, BLOCK_BYTES));
      new DataView(window.buffer).setUint32(SUPERBLOCK_OFFSET + 4, crc, true);
    }
    image.write(start, window);
  }
}

/** The inode, its attributes, and the part of its data that stands behind them. */
function encodeInode(planned: PlannedInode, nid: (node: TreeNode) => number): Uint8Array {
  const { node, dataBytes, tailBytes, xattrBytes } = planned;
  const { inode } = node;
  const union = 'device' in inode ? encodeDevice(inode.device) : planned.firstBlock;
  const common = {
    format: (planned.layout << 1) | (planned.isExtended ? 1 : 0),
    xattrCount: xattrCount(xattrBytes),
    mode: FILE_TYPES[inode.kind] | inode.mode,
    linkCount: planned.linkCount,
    union,
    ino: planned.ino,
    uid: inode.uid,
    gid: inode.gid,
  };
  const head = planned.isExtended
    ? encode(erofsInodeExtended, {
        ...common,
        size: BigInt(dataBytes),
        mtime: BigInt(inode.mtimeSeconds),
        mtimeNanoseconds: inode.mtimeNanoseconds ?? 0,
        reserved: 0,
        reserved2: new Uint8Array(16),
      })
    : encode(erofsInodeCompact, { ...common, size: dataBytes, reserved: 0, reserved2: 0 });
  const octets = new Uint8Array(head.length + xattrBytes + tailBytes);
  octets.set(head);
  octets.set(encodeXattrs(inode), head.length);
  if (tailBytes > 0) octets.set(readData(planned, nid, dataBytes - tailBytes), head.length + xattrBytes);
  return octets;
}

/** Data from an offset to its end: less than a block, or all of what is in memory anyhow. */
function readData({ node, dataBytes }: PlannedInode, nid: (node: TreeNode) => number, from: number): Uint8Array {
  const { inode } = node;
  if (inode.kind === 'file') return readBytes(inode.content, from, dataBytes - from);
  const all = inode.kind === 'directory' ? encodeDirectoryData(node, BLOCK_BYTES, nid) : utf8(linkTarget(node));
  return all.subarray(from);
}

function linkTarget({ inode }: TreeNode): string {
  return inode.kind === 'symlink' ? inode.target : '';
}

/** The part of the data that has blocks of its own. */
function writeBlocks(
  image: ByteSink,
  planned: PlannedInode,
  nid: (node: TreeNode) => number,
  signal: CancelSignal | undefined,
): void {
  const { node, dataBytes, tailBytes, firstBlock } = planned;
  if (firstBlock === 0) return;
  const at = firstBlock * BLOCK_BYTES;
  const length = dataBytes - tailBytes;
  if (node.inode.kind === 'file') copyRange(node.inode.content, length, image, at, signal);
  else image.write(at, readData(planned, nid, 0).subarray(0, length));
  // The image ends with a whole block, written or not.
  const padding = -length & (BLOCK_BYTES - 1);
  if (padding > 0) image.write(at + length, new Uint8Array(padding));
}

/** Linux, include/linux/kdev_t.h, new_encode_dev. */
function encodeDevice({ major, minor }: { readonly major: number; readonly minor: number }): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

function encodeVolumeName(label: string): Uint8Array {
  const octets = utf8(label);
  if (octets.length > 16 || label.includes('\0') || !label.isWellFormed()) {
    throw new DiskError('name_invalid', `EROFS: expected a label of at most 16 octets, found ${JSON.stringify(label)}`);
  }
  const cell = new Uint8Array(16);
  cell.set(octets);
  return cell;
}
