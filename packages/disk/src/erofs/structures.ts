// SPDX-License-Identifier: Apache-2.0
import { bytes, constant, struct, u8, u16le, u32le, u64le, uuid, zeros } from '@vouchsafe/codec';

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
  extensionSlots: u8,
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
  reserved: zeros(44),
});

/** An inode of 32 octets, without a time of its own. Linux, fs/erofs/erofs_fs.h, struct erofs_inode_compact. */
export const erofsInodeCompact = struct('erofs_inode_compact', {
  format: [u16le, 'bit 0: extended; bits 1 to 3: data layout'],
  xattrCount: [u16le, 'octets of extended attributes: 12 + 4 (n - 1); 0 for none'],
  mode: u16le,
  linkCount: u16le,
  size: u32le,
  reserved: zeros(4),
  union: [u32le, 'first block of the data, or the device'],
  ino: [u32le, 'for 32-bit stat'],
  uid: u16le,
  gid: u16le,
  reserved2: zeros(4),
});

/** An inode of 64 octets. Linux, fs/erofs/erofs_fs.h, struct erofs_inode_extended. */
export const erofsInodeExtended = struct('erofs_inode_extended', {
  format: [u16le, 'bit 0: extended; bits 1 to 3: data layout'],
  xattrCount: [u16le, 'octets of extended attributes: 12 + 4 (n - 1); 0 for none'],
  mode: u16le,
  reserved: zeros(2),
  size: u64le,
  union: [u32le, 'first block of the data, or the device'],
  ino: [u32le, 'for 32-bit stat'],
  uid: u32le,
  gid: u32le,
  mtime: u64le,
  mtimeNanoseconds: u32le,
  linkCount: u32le,
  reserved2: zeros(16),
});

/** A directory entry, 12 octets. Linux, fs/erofs/erofs_fs.h, struct erofs_dirent. */
export const erofsDirent = struct('erofs_dirent', {
  nid: u64le,
  nameOffset: [u16le, 'in its block; that of the first says how many entries there are'],
  fileType: u8,
  reserved: zeros(1),
});

/** In front of an inode's extended attributes. Linux, fs/erofs/erofs_fs.h, struct erofs_xattr_ibody_header. */
export const erofsXattrHeader = struct('erofs_xattr_ibody_header', {
  nameFilter: u32le,
  sharedCount: u8,
  reserved: zeros(7),
});

/** Before the name and the value. Linux, fs/erofs/erofs_fs.h, struct erofs_xattr_entry. */
export const erofsXattrEntry = struct('erofs_xattr_entry', {
  nameLength: u8,
  nameIndex: [u8, 'the prefix'],
  valueSize: u16le,
});

/** Data layouts: all in blocks, or the last part behind the inode. */
export const FLAT_PLAIN = 0;
export const FLAT_INLINE = 2;
