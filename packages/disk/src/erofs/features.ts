// SPDX-License-Identifier: Apache-2.0

/** Bits of featureCompat: a reader may ignore them. Linux, fs/erofs/erofs_fs.h, EROFS_FEATURE_COMPAT_*. */
export const COMPAT = { checksum: 0x1, mtime: 0x2, xattrFilter: 0x4, plainXattrPrefixes: 0x10 } as const;

/**
 * Bits of featureIncompat: whoever does not know one must not read. Two say two things each, and other fields which.
 * Linux, fs/erofs/erofs_fs.h, EROFS_FEATURE_INCOMPAT_*.
 */
export const INCOMPAT = {
  lz4ZeroPadding: 0x1,
  compressionConfigs: 0x2,
  chunkedFile: 0x4,
  deviceTable: 0x8,
  tailPacking: 0x10,
  fragments: 0x20,
  xattrPrefixes: 0x40,
  wideBlockNumbers: 0x80,
  metadataBox: 0x100,
} as const;

/** As mkfs.erofs and dump.erofs name them. */
const COMPAT_NAMES: Readonly<Record<number, string>> = {
  1: 'sb_csum',
  2: 'mtime',
  4: 'xattr_filter',
  8: 'shared_ea_in_metabox',
  16: 'plain_xattr_pfx',
  32: 'ishare_xattrs',
};
const INCOMPAT_NAMES: Readonly<Record<number, string>> = {
  1: '0padding',
  2: 'compr_cfgs or big_pcluster',
  4: 'chunked_file',
  8: 'device_table or compr_head2',
  16: 'ztailpacking',
  32: 'fragments or dedupe',
  64: 'xattr_prefixes',
  128: '48bit',
  256: 'metabox',
};

const named = (bits: number, names: Readonly<Record<number, string>>): string[] =>
  Array.from({ length: 32 }, (_, bit) => 2 ** bit)
    .filter((mask) => ((bits >>> 0) & mask) !== 0)
    .map((mask) => names[mask] ?? `bit 0x${mask.toString(16)}`);

export const compatNames = (bits: number): string[] => named(bits, COMPAT_NAMES);
export const incompatNames = (bits: number): string[] => named(bits, INCOMPAT_NAMES);
