// SPDX-License-Identifier: Apache-2.0
import { decode } from '@vouchsafe/codec';
import { type FileKind, fileKindOf, PERMISSION_MASK } from '../../file-mode.ts';
import {
  COMPACT_INODE_BYTES,
  DATA_LAYOUTS,
  type DataLayout,
  EXTENDED_INODE_BYTES,
  erofsInodeCompact,
  erofsInodeExtended,
  XATTR_HEADER_BYTES,
} from '../structures.ts';
import { erofsMalformed, erofsUnsupported } from './malformed.ts';
import { type ErofsVolume, inodeOffset } from './volume.ts';

/** A file, directory or the like, without its names: several may lead to it. */
export interface ErofsInode {
  /** By what directories name it: its place. */
  readonly nid: number;
  readonly kind: FileKind;
  /** Permission bits with set-user-id, set-group-id and sticky; no file type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Since 1970; below 0 before. */
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  /** As the image says it; not counted. */
  readonly linkCount: number;
  /** Octets of content, entries or link target; not what they take in the image. Untrusted: see `listErofs`. */
  readonly sizeBytes: number;
  readonly device: { readonly major: number; readonly minor: number } | undefined;
  readonly layout: DataLayout;
  readonly place: InodePlace;
}

/** For the reader itself. Offsets are octets from the start of the image. */
export interface InodePlace {
  /** What the first block, the device, or the format of the chunks is. */
  readonly union: number;
  readonly xattrOffset: number;
  readonly xattrBytes: number;
  /** Where what follows the attributes begins: the tail, or a table of chunks or clusters. */
  readonly restOffset: number;
}

/** Bits of i_format: extended, and three of data layout. Linux, fs/erofs/erofs_fs.h, EROFS_I_*. */
const FORMAT_MASK = 0xf;

/**
 * @throws {DiskError} 'erofs_malformed' when it is not inside the image or says what cannot be, 'erofs_unsupported'.
 * @throws {BytesError}
 */
export function readErofsInode(volume: ErofsVolume, nid: number): ErofsInode {
  const { source, layout } = volume;
  const offset = inodeOffset(volume, nid);
  const malformed = (problem: string) => erofsMalformed(source, `inode ${nid}: ${problem}`);
  const read = (length: number): Uint8Array => {
    if (offset + length > source.size) throw malformed('expected it inside the image, found its end beyond');
    return layout.pages.read(offset, length);
  };
  const head = read(COMPACT_INODE_BYTES);
  const format = (head[0] as number) | ((head[1] as number) << 8);
  if ((format & ~FORMAT_MASK) !== 0) throw erofsUnsupported(source, `inode ${nid}: format 0x${format.toString(16)}`);
  const dataLayout = DATA_LAYOUTS[format >> 1];
  if (dataLayout === undefined) throw erofsUnsupported(source, `inode ${nid}: data layout ${format >> 1}`);
  const isExtended = (format & 1) !== 0;
  const inode = isExtended
    ? decode(erofsInodeExtended, read(EXTENDED_INODE_BYTES))
    : { mtime: undefined, ...decode(erofsInodeCompact, head) };
  const kind = fileKindOf(inode.mode);
  if (kind === undefined) throw malformed(`expected a file type, found mode 0o${inode.mode.toString(8)}`);
  const sizeBytes = Number(inode.size);
  if (!Number.isSafeInteger(sizeBytes)) throw malformed(`expected a size below 2^53, found ${inode.size}`);
  const time =
    inode.mtime === undefined
      ? { mtimeSeconds: volume.epochSeconds, mtimeNanoseconds: volume.epochNanoseconds }
      : { mtimeSeconds: Number(BigInt.asIntN(64, inode.mtime)), mtimeNanoseconds: inode.mtimeNanoseconds };
  if (!Number.isSafeInteger(time.mtimeSeconds) || time.mtimeNanoseconds > 999_999_999) {
    throw malformed(`expected a time, found ${time.mtimeSeconds} s and ${time.mtimeNanoseconds} ns`);
  }
  const xattrOffset = offset + (isExtended ? EXTENDED_INODE_BYTES : COMPACT_INODE_BYTES);
  const xattrBytes = inode.xattrCount === 0 ? 0 : XATTR_HEADER_BYTES + 4 * (inode.xattrCount - 1);
  if (xattrOffset + xattrBytes > source.size) throw malformed('expected its attributes inside the image');
  return {
    nid,
    kind,
    mode: inode.mode & PERMISSION_MASK,
    uid: inode.uid,
    gid: inode.gid,
    ...time,
    linkCount: inode.linkCount,
    sizeBytes,
    device: kind === 'block' || kind === 'character' ? decodeDevice(inode.union) : undefined,
    layout: dataLayout,
    place: { union: inode.union, xattrOffset, xattrBytes, restOffset: xattrOffset + xattrBytes },
  };
}

/** Linux, include/linux/kdev_t.h, new_decode_dev. */
function decodeDevice(device: number): { readonly major: number; readonly minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}
