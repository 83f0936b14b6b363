// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';
import { latin1 } from './latin1.ts';
import { tarMalformed } from './malformed.ts';

/** Linux, include/uapi/linux/posix_acl.h and posix_acl_xattr.h: tags in the order that the kernel asks for. */
const TAGS = { userOwner: 0x01, user: 0x02, groupOwner: 0x04, group: 0x08, mask: 0x10, other: 0x20 } as const;
const XATTR_VERSION = 2;
const NO_ID = 0xffffffff;
const MAX_ENTRIES = 8000;

interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

/**
 * An ACL in its long text form, as pax records have it, as the value of the attribute that the kernel keeps it in. Users
 * and groups must be numbers, or have them behind their permissions, as bsdtar writes them: a name, which is what GNU tar
 * writes where its machine knows one, means nothing on another. acl(5), "Long text form"; Linux, fs/posix_acl.c, posix_acl_to_xattr.
 * @throws {DiskError} 'tar_malformed', 'tar_unsupported' for a name without a number.
 */
export function encodeAcl(text: Uint8Array, label: string, offset: number): Uint8Array {
  const lines = latin1(text).split(/[,\n]/);
  const entries = lines
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => parseEntry(line, label, offset));
  if (entries.length > MAX_ENTRIES)
    throw tarMalformed(label, offset, `expected an ACL of at most ${MAX_ENTRIES} entries`);
  entries.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const value = new DataView(new ArrayBuffer(4 + 8 * entries.length));
  value.setUint32(0, XATTR_VERSION, true);
  for (const [i, { tag, permissions, id }] of entries.entries()) {
    value.setUint16(4 + 8 * i, tag, true);
    value.setUint16(6 + 8 * i, permissions, true);
    value.setUint32(8 + 8 * i, id, true);
  }
  return new Uint8Array(value.buffer);
}

function parseEntry(line: string, label: string, offset: number): AclEntry {
  const match = /^(user|group|mask|other|u|g|m|o):([^:]*):([r-])([w-])([x-])(?::([0-9]+))?$/.exec(line);
  if (match === null)
    throw tarMalformed(label, offset, `expected an entry of an ACL, found ${JSON.stringify(line.slice(0, 100))}`);
  const [, kind = '', name = '', read, write, execute, number] = match;
  const permissions = (read === 'r' ? 4 : 0) | (write === 'w' ? 2 : 0) | (execute === 'x' ? 1 : 0);
  const letter = kind[0];
  if (letter === 'm' || letter === 'o') return { tag: letter === 'm' ? TAGS.mask : TAGS.other, permissions, id: NO_ID };
  if (name === '') return { tag: letter === 'u' ? TAGS.userOwner : TAGS.groupOwner, permissions, id: NO_ID };
  const id = /^[0-9]{1,10}$/.test(name) ? name : number;
  if (id === undefined || Number(id) >= NO_ID) {
    throw new DiskError(
      'tar_unsupported',
      `${label}: tar archive, octet ${offset}: expected ACLs with numbers, found ${JSON.stringify(line)}; make the archive with bsdtar, or without --acls`,
    );
  }
  return { tag: letter === 'u' ? TAGS.user : TAGS.group, permissions, id: Number(id) };
}
