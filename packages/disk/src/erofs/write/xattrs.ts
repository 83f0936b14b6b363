// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { alignUp } from '../../align.ts';
import { DiskError } from '../../error.ts';
import { compareBytes } from '../../tree/compare.ts';
import type { TreeInode, Xattr } from '../../tree/file-tree.ts';
import { erofsXattrEntry, erofsXattrHeader, XATTR_HEADER_BYTES, XATTR_PREFIXES } from '../structures.ts';

/** XATTR_SIZE_MAX of Linux, <linux/limits.h>, is one more than 16 bits hold. */
const MAX_VALUE_BYTES = 0xffff;
const MAX_NAME_BYTES = 255;
/** i_xattr_icount has 16 bits. */
const MAX_TOTAL_BYTES = XATTR_HEADER_BYTES + 4 * (0xffff - 1);
/** h_shared_count has 8 bits. */
const MAX_SHARED = 255;
const ID_BYTES = 4;
const NONE = new Uint8Array(0);
/** Prefixes that Linux serves. The longest first where one begins another: none does. */
const WRITABLE = [...XATTR_PREFIXES].filter(([, prefix]) => prefix !== 'lustre.');

/** The extended attributes of an image: those that many inodes have stand once, behind all inodes. */
export interface XattrPlan {
  /** As they follow the inode; nothing when it has none. */
  ofInode(inode: TreeInode): Uint8Array;
  /** The shared ones, by octets. */
  readonly shared: Uint8Array;
}

interface Use {
  readonly entry: Uint8Array;
  count: number;
  id: number | undefined;
}

/**
 * An attribute is shared when that takes less room: its entry once and a number for each inode, instead of an entry for
 * each.
 * @throws {DiskError} 'name_invalid', 'tree_invalid' for an attribute that an inode has twice, 'limit'.
 */
export function planXattrs(inodes: Iterable<TreeInode>): XattrPlan {
  const uses = new Map<string, Use>();
  const ofInodes = new Map<TreeInode, Use[]>();
  for (const inode of inodes) {
    const { xattrs = [] } = inode;
    if (xattrs.length > 0) ofInodes.set(inode, inodeUses(inode, xattrs, uses));
  }
  const shared = [...uses.values()]
    .filter(({ entry, count }) => count * entry.length > count * ID_BYTES + entry.length)
    .sort((a, b) => compareBytes(a.entry, b.entry));
  let offset = 0;
  for (const use of shared) {
    use.id = offset / ID_BYTES;
    offset += use.entry.length;
  }
  return {
    ofInode: (inode) => encodeXattrs(inode, ofInodes.get(inode) ?? []),
    shared: concatBytes(...shared.map(({ entry }) => entry)),
  };
}

/** By the octets of their names. */
function inodeUses({ path }: TreeInode, xattrs: readonly Xattr[], uses: Map<string, Use>): Use[] {
  const named = xattrs.map((xattr) => ({ xattr, name: utf8(xattr.name) })).sort((a, b) => compareBytes(a.name, b.name));
  return named.map(({ xattr }, i) => {
    if (named[i + 1]?.xattr.name === xattr.name) {
      throw new DiskError('tree_invalid', `EROFS: ${path}: expected attribute ${xattr.name} once, found it twice`);
    }
    const entry = encodeEntry(xattr, path);
    const key = toHex(entry);
    const use = uses.get(key) ?? { entry, count: 0, id: undefined };
    use.count++;
    uses.set(key, use);
    return use;
  });
}

function encodeXattrs({ path }: TreeInode, uses: readonly Use[]): Uint8Array {
  if (uses.length === 0) return NONE;
  const shared = uses.filter(({ id }) => id !== undefined).slice(0, MAX_SHARED);
  const own = uses.filter((use) => !shared.includes(use));
  const header = encode(erofsXattrHeader, { nameFilter: 0, sharedCount: shared.length, reserved: new Uint8Array(7) });
  const ids = new DataView(new ArrayBuffer(shared.length * ID_BYTES));
  for (const [i, { id }] of shared.entries()) ids.setUint32(i * ID_BYTES, id as number, true);
  const all = concatBytes(header, new Uint8Array(ids.buffer), ...own.map(({ entry }) => entry));
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
  const [index, prefix] =
    WRITABLE.find(([, known]) => (known.endsWith('.') ? name.startsWith(known) : name === known)) ?? [];
  const suffix = utf8(name.slice(prefix?.length));
  const isNamed = prefix?.endsWith('.') !== true || suffix.length > 0;
  const isText = !name.includes('\0') && name.isWellFormed();
  if (index === undefined || !isNamed || !isText || suffix.length > MAX_NAME_BYTES) {
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
  const head = encode(erofsXattrEntry, { nameLength: suffix.length, nameIndex: index, valueSize: value.length });
  const length = head.length + suffix.length + value.length;
  return concatBytes(head, suffix, value, new Uint8Array(alignUp(length, 4) - length));
}
