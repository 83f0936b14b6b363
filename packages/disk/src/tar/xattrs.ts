// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import type { Xattr } from '../tree/file-tree.ts';
import { encodeAcl } from './acl.ts';
import { latin1 } from './latin1.ts';
import { tarMalformed } from './malformed.ts';
import type { PaxRecord } from './pax.ts';

/** As star and GNU tar write them: the value as it is, binary or not. star(5), "SCHILY.xattr". */
const SCHILY_PREFIX = 'SCHILY.xattr.';
/** As bsdtar writes them, beside the others or alone: percent-encoded name, base64 value. tar(5) of libarchive, "LIBARCHIVE.xattr". */
const LIBARCHIVE_PREFIX = 'LIBARCHIVE.xattr.';
/** GNU tar 1.34 --selinux: the context as text; the kernel keeps a NUL behind it (Linux, security/selinux/hooks.c). */
const SELINUX_KEY = 'RHT.security.selinux';
const ACL_NAMES: Readonly<Record<string, string>> = {
  'SCHILY.acl.access': 'system.posix_acl_access',
  'SCHILY.acl.default': 'system.posix_acl_default',
};

/**
 * The extended attributes of a member by its pax records, in the order of their names.
 * @throws {DiskError} 'tar_malformed'; 'tar_unsupported' for an ACL with names only.
 */
export function xattrsOf(pax: ReadonlyMap<string, PaxRecord>, label: string): Xattr[] {
  const xattrs = new Map<string, Uint8Array>();
  // The same attribute may be there twice, in both ways; the value as it is comes last and counts.
  for (const record of pax.values()) {
    if (record.key.startsWith(LIBARCHIVE_PREFIX)) {
      xattrs.set(percentDecoded(record, label), base64Decoded(record, label));
    }
  }
  for (const { key, value, offset } of pax.values()) {
    const acl = ACL_NAMES[key];
    if (acl !== undefined) xattrs.set(acl, encodeAcl(value, label, offset));
    if (key === SELINUX_KEY) xattrs.set('security.selinux', withNul(value));
  }
  for (const { key, value } of pax.values()) {
    if (key.startsWith(SCHILY_PREFIX)) xattrs.set(key.slice(SCHILY_PREFIX.length), value.slice());
  }
  return [...xattrs].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function withNul(value: Uint8Array): Uint8Array {
  if (value.at(-1) === 0) return value.slice();
  const whole = new Uint8Array(value.length + 1);
  whole.set(value);
  return whole;
}

function percentDecoded({ key, offset }: PaxRecord, label: string): string {
  const octets: number[] = [];
  const name = key.slice(LIBARCHIVE_PREFIX.length);
  for (let i = 0; i < name.length; i++) {
    const digits = name[i] === '%' ? name.slice(i + 1, i + 3) : undefined;
    if (digits === undefined) octets.push(name.charCodeAt(i));
    else if (/^[0-9a-fA-F]{2}$/.test(digits)) {
      octets.push(Number.parseInt(digits, 16));
      i += 2;
    } else throw tarMalformed(label, offset, `expected two hexadecimal digits behind % in ${JSON.stringify(key)}`);
  }
  try {
    return parseUtf8(Uint8Array.from(octets));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw tarMalformed(label, offset, 'expected the name of an attribute in UTF-8', { cause });
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648, section 4, with or without padding: bsdtar writes none. */
function base64Decoded({ value, key, offset }: PaxRecord, label: string): Uint8Array {
  const text = latin1(value).replace(/={0,2}$/, '');
  const octets = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const character of text) {
    const six = BASE64.indexOf(character);
    if (six < 0) throw tarMalformed(label, offset, `expected base64 in ${key}`);
    bits = ((bits << 6) | six) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    octets[at++] = (bits >>> held) & 0xff;
  }
  return octets;
}
