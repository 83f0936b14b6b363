// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { alignUp } from '../align.ts';
import { DiskError } from '../error.ts';
import { compareBytes } from '../tree/compare.ts';
import type { TreeInode, Xattr } from '../tree/file-tree.ts';
import { erofsXattrEntry, erofsXattrHeader, XATTR_HEADER_BYTES } from './structures.ts';

/**
 * The prefixes, longest first where one begins another. Linux, fs/erofs/erofs_fs.h, EROFS_XATTR_INDEX_*; the two access
 * control lists are whole names.
 */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
];

/** XATTR_SIZE_MAX of Linux, <linux/limits.h>, is one more than 16 bits hold. */
const MAX_VALUE_BYTES = 0xffff;
const MAX_NAME_BYTES = 255;
/** i_xattr_icount has 16 bits. */
const MAX_TOTAL_BYTES = XATTR_HEADER_BYTES + 4 * (0xffff - 1);

/**
 * An inode's extended attributes as they follow it, by the octets of their names; nothing when it has none.
 * @throws {DiskError} 'name_invalid', 'limit'.
 */
export function encodeXattrs(inode: TreeInode): Uint8Array {
  const { xattrs = [], path } = inode;
  if (xattrs.length === 0) return new Uint8Array(0);
  const named = xattrs.map((xattr) => ({ xattr, name: utf8(xattr.name) })).sort((a, b) => compareBytes(a.name, b.name));
  for (const [i, { xattr }] of named.entries()) {
    if (named[i + 1]?.xattr.name === xattr.name) {
      throw new DiskError('tree_invalid', `EROFS: ${path}: expected attribute ${xattr.name} once, found it twice`);
    }
  }
  const header = encode(erofsXattrHeader, { nameFilter: 0, sharedCount: 0, reserved: new Uint8Array(7) });
  const all = concatBytes(header, ...named.map(({ xattr }) => encodeEntry(xattr, path)));
  if (all.length > MAX_TOTAL_BYTES) {
    throw new DiskError(
      'limit',
      `EROFS: ${path}: expected at most ${MAX_TOTAL_BYTES} octets of attributes, found ${all.length}`,
    );
  }
  return all;
}

/** i_xattr_icount. Linux, fs/erofs/erofs_fs.h, erofs_xattr_ibody_size. */
export function xattrCount(sizeBytes: number): number {
  return sizeBytes === 0 ? 0 : (sizeBytes - XATTR_HEADER_BYTES) / 4 + 1;
}

function encodeEntry({ name, value }: Xattr, path: string): Uint8Array {
  const [prefix, index] =
    PREFIXES.find(([known]) => (known.endsWith('.') ? name.startsWith(known) : name === known)) ?? [];
  const suffix = utf8(name.slice(prefix?.length));
  const isNamed = prefix?.endsWith('.') !== true || suffix.length > 0;
  if (
    index === undefined ||
    !isNamed ||
    suffix.length > MAX_NAME_BYTES ||
    name.includes('\0') ||
    !name.isWellFormed()
  ) {
    throw new DiskError(
      'name_invalid',
      `EROFS: ${path}: expected an attribute of user, trusted, security or an access control list, found ${JSON.stringify(name)}`,
    );
  }
  if (value.length > MAX_VALUE_BYTES) {
    throw new DiskError(
      'limit',
      `EROFS: ${path}: expected ${name} of at most ${MAX_VALUE_BYTES} octets, found ${value.length}`,
    );
  }
  const entry = encode(erofsXattrEntry, { nameLength: suffix.length, nameIndex: index, valueSize: value.length });
  const length = entry.length + suffix.length + value.length;
  return concatBytes(entry, suffix, value, new Uint8Array(alignUp(length, 4) - length));
}
