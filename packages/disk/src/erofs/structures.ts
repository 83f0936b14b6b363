// SPDX-License-Identifier: Apache-2.0
import { bytes, constant, struct, u8, u16le, u32le, u64le, uuid } from '@vouchsafe/codec';
import type { FileKind } from '../file-mode.ts';

/** Where the superblock is, whatever the size of a block. */
export const SUPERBLOCK_OFFSET = 1024;
export const SUPERBLOCK_BYTES = 128;
/** The unit of inode numbers (nid). */
export const SLOT_BYTES = 32;
export const COMPACT_INODE_BYTES = 32;
export const EXTENDED_INODE_BYTES = 64;
export const DIRENT_BYTES = 12;
export const XATTR_HEADER_BYTES = 12;

/** The superblock, 128 octets at 1024, little-endian. Linux, fs/erofs/erofs_fs.h, struct erofs_super_block. */
export const erofsSuperBlock = struct('erofs_super_block', {
  magic: constant(u32le, 0xe0f5e1e2),
  checksum: [u32le, 'CRC-32C of the rest of the first block, with this field zero'],
  featureCompat: [u32le, '1: checksum is there; 2: times are those of modification'],
  blockSizeBits: u8,
  extensionSlots: [u8, 'octets beyond 128, by 16'],
  rootNid: u16le,
  inodes: [u64le, 'how many there are'],
  epoch: [u64le, 'the time of all compact inodes, in seconds'],
  fixedNanoseconds: u32le,
  blocks: [u32le, 'of the whole image'],
  metaBlock: [u32le, 'where nid 0 would be'],
  xattrBlock: [u32le, 'where shared extended attributes begin'],
  uuid,
  volumeName: bytes(16),
  featureIncompat: [u32le, 'what a reader must know'],
  compression: [
    u16le,
    'the algorithms as bits when featureIncompat has 2; else how far back LZ4 may refer, 0 for 65535',
  ],
  extraDevices: u16le,
  deviceSlot: u16le,
  directoryBlockBits: u8,
  xattrPrefixes: [u8, 'how many long prefixes of attribute names there are'],
  xattrPrefixStart: [u32le, 'where they are, by 4 octets: in the packed inode, or in the image without one'],
  packedNid: [u64le, 'of the inode that holds the ends of files; 0 for none'],
  xattrFilter: u8,
  reserved: bytes(23),
});

/** An inode of 32 octets, without a time of its own. Linux, fs/erofs/erofs_fs.h, struct erofs_inode_compact. */
export const erofsInodeCompact = struct('erofs_inode_compact', {
  format: [u16le, 'bit 0: extended; bits 1 to 3: data layout'],
  xattrCount: [u16le, 'octets of extended attributes: 12 + 4 (n - 1); 0 for none'],
  mode: u16le,
  linkCount: u16le,
  size: u32le,
  reserved: u32le,
  union: [
    u32le,
    'first block of the data, the device, the format of chunks, or how many blocks the compressed data has',
  ],
  ino: [u32le, 'for 32-bit stat'],
  uid: u16le,
  gid: u16le,
  reserved2: u32le,
});

/** An inode of 64 octets. Linux, fs/erofs/erofs_fs.h, struct erofs_inode_extended. */
export const erofsInodeExtended = struct('erofs_inode_extended', {
  format: [u16le, 'bit 0: extended; bits 1 to 3: data layout'],
  xattrCount: [u16le, 'octets of extended attributes: 12 + 4 (n - 1); 0 for none'],
  mode: u16le,
  reserved: u16le,
  size: u64le,
  union: [
    u32le,
    'first block of the data, the device, the format of chunks, or how many blocks the compressed data has',
  ],
  ino: [u32le, 'for 32-bit stat'],
  uid: u32le,
  gid: u32le,
  mtime: u64le,
  mtimeNanoseconds: u32le,
  linkCount: u32le,
  reserved2: bytes(16),
});

/** A directory entry, 12 octets. Linux, fs/erofs/erofs_fs.h, struct erofs_dirent. */
export const erofsDirent = struct('erofs_dirent', {
  nid: u64le,
  nameOffset: [u16le, 'in its block; that of the first says how many entries there are'],
  fileType: u8,
  reserved: u8,
});

/** In front of an inode's extended attributes. Linux, fs/erofs/erofs_fs.h, struct erofs_xattr_ibody_header. */
export const erofsXattrHeader = struct('erofs_xattr_ibody_header', {
  nameFilter: [u32le, 'a bit of 1 says that no attribute of that hash is there'],
  sharedCount: [u8, 'so many numbers of shared attributes follow, 32 bits each'],
  reserved: bytes(7),
});

/** Before the name and the value. Linux, fs/erofs/erofs_fs.h, struct erofs_xattr_entry. */
export const erofsXattrEntry = struct('erofs_xattr_entry', {
  nameLength: u8,
  nameIndex: [u8, 'the prefix'],
  valueSize: u16le,
});

/** Data layouts. Linux, fs/erofs/erofs_fs.h, EROFS_INODE_*. */
export const DATA_LAYOUTS = ['plain', 'compressed-full', 'inline', 'compressed-compact', 'chunked'] as const;
/**
 * plain: all of the data in blocks; inline: but for the last part, which is behind the inode; chunked: a table of blocks is
 * behind the inode; compressed-full and -compact: an index of compressed blocks is.
 */
export type DataLayout = (typeof DATA_LAYOUTS)[number];

export const FLAT_PLAIN = 0;
export const FLAT_INLINE = 2;
export const COMPRESSED_COMPACT = 3;

/** Block number of what is not there. Linux, fs/erofs/erofs_fs.h, EROFS_NULL_ADDR. */
export const NO_BLOCK = 0xffffffff;

/** File types of directory entries. Linux, include/linux/fs_types.h, FT_*. */
export const FILE_TYPE_NUMBERS: Readonly<Record<FileKind, number>> = {
  file: 1,
  directory: 2,
  character: 3,
  block: 4,
  fifo: 5,
  socket: 6,
  symlink: 7,
};

/** The prefixes of attribute names; an access control list is a whole name. Linux, fs/erofs/erofs_fs.h, EROFS_XATTR_INDEX_*. */
export const XATTR_PREFIXES: ReadonlyMap<number, string> = new Map([
  [1, 'user.'],
  [2, 'system.posix_acl_access'],
  [3, 'system.posix_acl_default'],
  [4, 'trusted.'],
  [5, 'lustre.'],
  [6, 'security.'],
]);

/** Types of logical clusters. Linux, fs/erofs/erofs_fs.h, Z_EROFS_LCLUSTER_TYPE_*. */
export const CLUSTER_TYPES = { plain: 0, head: 1, nonHead: 2, head2: 3 } as const;

/** In front of the index of a compressed inode. Linux, fs/erofs/erofs_fs.h, struct z_erofs_map_header. */
export const erofsMapHeader = struct('z_erofs_map_header', {
  fragmentOffset: [
    u32le,
    'in the packed inode; or, in the upper half, the octets of the last block that are behind the index',
  ],
  advise: [
    u16le,
    'bits: 1 packs of 2 octets a cluster; 2, 4 larger blocks; 8 the last is behind the index; 16, 32 see the reader',
  ],
  algorithms: [u8, 'of the first and of the second kind of head: 0 is LZ4'],
  clusterBits: [u8, 'bits of a logical cluster beyond those of a block; 128: all of the file is in the packed inode'],
});
export const MAP_HEADER_BYTES = 8;

/** Bits of advise. Linux, fs/erofs/erofs_fs.h, Z_EROFS_ADVISE_*. */
export const ADVISE = {
  /** Of a compact index: packs of 2 octets a cluster. */
  compacted2b: 0x1,
  bigCluster1: 0x2,
  bigCluster2: 0x4,
  /** The last block stands behind the index. */
  inlineCluster: 0x8,
  /** What is not compressed stands in its block where it would in its page. */
  interlaced: 0x10,
  /** The end of the file is in the packed inode. */
  fragment: 0x20,
} as const;
