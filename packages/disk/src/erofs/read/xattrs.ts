// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { alignUp } from '../../align.ts';
import { DiskError } from '../../error.ts';
import type { Xattr } from '../../tree/file-tree.ts';
import { XATTR_HEADER_BYTES, XATTR_PREFIXES } from '../structures.ts';
import { dataSource } from './file.ts';
import { type ErofsInode, readErofsInode } from './inode.ts';
import { erofsMalformed } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** Octets of names and values of one inode, shared ones included: more than any file system of Linux takes. */
const MAX_XATTR_BYTES = 1024 * 1024;
const ENTRY_BYTES = 4;
/** Linux, fs/erofs/erofs_fs.h, EROFS_XATTR_LONG_PREFIX. */
const LONG_PREFIX = 0x80;
const MAX_INFIX_BYTES = 255;

/**
 * An inode's extended attributes: those that stand behind it, then those that it shares with others.
 * @throws {DiskError} 'erofs_malformed', 'limit' when there are more than 1 MiB of them. @throws {BytesError}
 */
export function readErofsXattrs(volume: ErofsVolume, inode: ErofsInode): Xattr[] {
  const { xattrOffset, xattrBytes } = inode.place;
  if (xattrBytes === 0) return [];
  const { source, layout } = volume;
  const malformed = (problem: string) => erofsMalformed(source, `inode ${inode.nid}: ${problem}`);
  const body = layout.pages.read(xattrOffset, xattrBytes);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const sharedCount = view.getUint8(4);
  const ownStart = XATTR_HEADER_BYTES + 4 * sharedCount;
  if (ownStart > xattrBytes) throw malformed(`expected ${sharedCount} shared attributes, found ${xattrBytes} octets`);
  const found = new Map<string, Xattr>();
  let total = 0;
  const add = (image: ByteSource, offset: number, end: number): number => {
    const { xattr, size } = readEntry(volume, image, offset, end);
    total += size;
    if (total > MAX_XATTR_BYTES) {
      throw new DiskError(
        'limit',
        `${source.label}: EROFS: inode ${inode.nid}: more than ${MAX_XATTR_BYTES} octets of attributes`,
      );
    }
    if (found.has(xattr.name)) throw malformed(`expected the attribute ${xattr.name} once, found it twice`);
    found.set(xattr.name, xattr);
    return size;
  };
  for (let at = ownStart; at < xattrBytes; ) at += add(source, xattrOffset + at, xattrOffset + xattrBytes);
  for (let i = 0; i < sharedCount; i++) {
    const id = view.getUint32(XATTR_HEADER_BYTES + 4 * i, true);
    add(source, layout.xattrOffset + id * 4, source.size);
  }
  return [...found.values()];
}

function readEntry(
  volume: ErofsVolume,
  image: ByteSource,
  offset: number,
  end: number,
): { readonly xattr: Xattr; readonly size: number } {
  const malformed = (problem: string) => erofsMalformed(image, `attribute at ${offset}: ${problem}`);
  const { pages } = volume.layout;
  if (offset + ENTRY_BYTES > end) throw malformed('expected it inside its place');
  const head = pages.read(offset, ENTRY_BYTES);
  const nameBytes = head[0] as number;
  const prefix = prefixOf(volume, head[1] as number);
  if (prefix === undefined) throw malformed(`expected a prefix that is known, found ${head[1]}`);
  const valueBytes = (head[2] as number) | ((head[3] as number) << 8);
  const size = alignUp(ENTRY_BYTES + nameBytes + valueBytes, ENTRY_BYTES);
  // The octets that align what follows are missing where the attributes are the last thing in the image.
  if (offset + ENTRY_BYTES + nameBytes + valueBytes > end) throw malformed('expected it inside its place');
  const octets = pages.read(offset + ENTRY_BYTES, nameBytes + valueBytes);
  const suffix = octets.subarray(0, nameBytes);
  if (suffix.includes(0)) throw malformed('expected a name without NUL');
  return { xattr: { name: `${prefix}${textOf(suffix, malformed)}`, value: octets.slice(nameBytes) }, size };
}

function textOf(octets: Uint8Array, malformed: (problem: string) => DiskError): string {
  try {
    return parseUtf8(octets);
  } catch (error) {
    if (error instanceof TextError) throw malformed('expected a name in UTF-8');
    throw error;
  }
}

function prefixOf(volume: ErofsVolume, index: number): string | undefined {
  if ((index & LONG_PREFIX) === 0) return XATTR_PREFIXES.get(index);
  return longPrefixes(volume)[index & ~LONG_PREFIX];
}

const PREFIXES_OF = new WeakMap<ErofsVolume, readonly string[]>();

/** Read when the first is needed. */
function longPrefixes(volume: ErofsVolume): readonly string[] {
  let prefixes = PREFIXES_OF.get(volume);
  if (prefixes === undefined) {
    prefixes = [...readLongPrefixes(volume)];
    PREFIXES_OF.set(volume, prefixes);
  }
  return prefixes;
}

/** Each: a length, the number of a short prefix, and what follows that. Linux, fs/erofs/xattr.c, erofs_xattr_prefixes_init. */
function* readLongPrefixes(volume: ErofsVolume): Generator<string, void> {
  const { source, layout } = volume;
  const { count, offset, isPacked } = layout.xattrPrefixes;
  const holder = isPacked ? dataSource(volume, readErofsInode(volume, layout.packedNid as number), source) : source;
  for (let i = 0, at = offset; i < count; i++) {
    const malformed = (problem: string) => erofsMalformed(source, `long prefix ${i}: ${problem}`);
    at = alignUp(at, 4);
    if (at + 2 > holder.size) throw malformed('expected it inside the image');
    const head = readBytes(holder, at, 2);
    const length = (head[0] as number) | ((head[1] as number) << 8);
    if (length < 1 || length > 1 + MAX_INFIX_BYTES) throw malformed(`expected 1 to 256 octets, found ${length}`);
    if (at + 2 + length > holder.size) throw malformed('expected it inside the image');
    const octets = readBytes(holder, at + 2, length);
    const base = XATTR_PREFIXES.get(octets[0] as number);
    if (base === undefined) throw malformed(`expected a prefix that is known, found ${octets[0]}`);
    yield `${base}${textOf(octets.subarray(1), malformed)}`;
    at += 2 + length;
  }
}
