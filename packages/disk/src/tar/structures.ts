// SPDX-License-Identifier: Apache-2.0
import { bytes, struct, u8 } from '@vouchsafe/codec';

export const TAR_BLOCK_BYTES = 512;

/**
 * A header block, 512 octets. Numbers are octal digits, or base 256 where the first bit is set. POSIX.1-2017, pax, "ustar
 * Interchange Format"; GNU tar 1.34 manual, "Basic Tar Format".
 */
export const tarHeader = struct('tar header', {
  name: [bytes(100), 'up to a NUL, or all of it'],
  mode: [bytes(8), 'permission bits'],
  uid: bytes(8),
  gid: bytes(8),
  size: [bytes(12), 'octets of the content that follows'],
  mtime: [bytes(12), 'seconds since 1970'],
  checksum: [bytes(8), 'the sum of all octets, this field being spaces'],
  typeFlag: [u8, 'what it is'],
  linkName: [bytes(100), 'where a link leads'],
  magic: [bytes(8), '"ustar" NUL "00", or GNU\'s "ustar" with two spaces and a NUL'],
  userName: bytes(32),
  groupName: bytes(32),
  deviceMajor: bytes(8),
  deviceMinor: bytes(8),
  rest: [bytes(167), 'the prefix of the name, or what GNU tar keeps there'],
});

/** The end of a header in GNU tar's own format. GNU tar 1.34, src/tar.h, struct oldgnu_header. */
export const gnuHeaderRest = struct('tar header of GNU', {
  accessTime: bytes(12),
  changeTime: bytes(12),
  offset: [bytes(12), 'of a file in several volumes'],
  longNames: bytes(4),
  unused: bytes(1),
  sparse: [bytes(96), 'four runs of data: offset and size, 12 octets each'],
  isExtended: [u8, 'not 0 when a block with more runs follows'],
  realSize: [bytes(12), 'of the file with its holes'],
  padding: bytes(17),
});

/** More runs of a sparse file. GNU tar 1.34, src/tar.h, struct sparse_header. */
export const gnuSparseBlock = struct('tar sparse header of GNU', {
  sparse: [bytes(504), '21 runs of data'],
  isExtended: [u8, 'not 0 when another follows'],
  padding: bytes(7),
});

/** POSIX.1-2017, pax, "ustar Interchange Format", typeflag; x and g, "pax Header Block"; the others are GNU's, src/tar.h. */
export const TAR_TYPES = {
  file: 0x30,
  oldFile: 0x00,
  hardlink: 0x31,
  symlink: 0x32,
  character: 0x33,
  block: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  paxHeader: 0x78,
  paxGlobal: 0x67,
  solarisPax: 0x58,
  gnuLongName: 0x4c,
  gnuLongLink: 0x4b,
  gnuSparse: 0x53,
  gnuDumpDirectory: 0x44,
  gnuVolumeLabel: 0x56,
} as const;
