// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';
import { copySource } from '../copy.ts';
import { DiskError } from '../error.ts';
import { FILE_TYPE_MASK } from '../file-mode.ts';
import { type CpioHeader, cpioPadding, encodeCpioHeader, TRAILER_NAME } from './header.ts';

/** The kernel's limit of a path with its NUL (PATH_MAX; Linux, init/initramfs.c, do_header). */
export const MAX_CPIO_NAME_BYTES = 4096;

/** What goes into an archive, in the order given. */
export interface CpioMember {
  /** Without a leading slash. */
  readonly path: string;
  /** File type and permission bits. */
  readonly mode: number;
  /** A file's content, or a symbolic link's target. */
  readonly content?: ByteSource;
  readonly uid?: number;
  readonly gid?: number;
  /** 1, unless several names share a file; these then give the same `ino`, and the content with the last of them. */
  readonly nlink?: number;
  /** Counted from 1, unless given. */
  readonly ino?: number;
  /** Seconds since 1970; 0 unless given. */
  readonly mtime?: number;
  /** The device of a device node. */
  readonly rdev?: { readonly major: number; readonly minor: number };
}

/**
 * Writes an archive at `offset`, with its trailer and padded to 4 octets, content by content. Numbers are lower-case
 * hexadecimal, and nothing depends on the host, so that the same members give the same octets.
 * @returns octets written.
 * @throws {DiskError} 'name_invalid', 'limit' for what the format cannot hold. @throws {BytesError}
 */
export function writeCpio(sink: ByteSink, members: Iterable<CpioMember>, offset = 0): number {
  let at = offset;
  let nextIno = 1;
  for (const member of members) {
    const name = utf8(member.path);
    requireName(member.path, name);
    const size = member.content?.size ?? 0;
    const head = headOf(name, {
      ino: member.ino ?? nextIno++,
      mode: requireMode(member),
      uid: member.uid ?? 0,
      gid: member.gid ?? 0,
      nlink: member.nlink ?? 1,
      mtime: member.mtime ?? 0,
      sizeBytes: size,
      rdevMajor: member.rdev?.major ?? 0,
      rdevMinor: member.rdev?.minor ?? 0,
    });
    sink.write(at, head);
    at += head.length;
    if (member.content !== undefined) copySource(member.content, sink, at);
    at += size;
    const padding = cpioPadding(size);
    if (padding > 0) sink.write(at, new Uint8Array(padding));
    at += padding;
  }
  const trailer = encodeTrailer();
  sink.write(at, trailer);
  return at + trailer.length - offset;
}

type HeadFields = Omit<CpioHeader, 'nameBytes' | 'deviceMajor' | 'deviceMinor' | 'checksum'>;

/** Header, path and padding. */
function headOf(name: Uint8Array, fields: HeadFields): Uint8Array {
  const header = encodeCpioHeader({
    ...fields,
    deviceMajor: 0,
    deviceMinor: 0,
    nameBytes: name.length + 1,
    checksum: 0,
  });
  const length = header.length + name.length + 1;
  return concatBytes(header, name, new Uint8Array(1 + cpioPadding(length)));
}

/** As systemd-stub writes it, with one upper-case digit: 0000000B. systemd 252, src/boot/efi/cpio.c, pack_cpio_trailer. */
function encodeTrailer(): Uint8Array {
  const zero = { ino: 0, mode: 0, uid: 0, gid: 0, nlink: 1, mtime: 0, sizeBytes: 0, rdevMajor: 0, rdevMinor: 0 };
  const trailer = headOf(utf8(TRAILER_NAME), zero);
  trailer[6 + 12 * 8 - 1] = 'B'.charCodeAt(0);
  return trailer;
}

function requireName(path: string, name: Uint8Array): void {
  if (path === '' || path.includes('\0') || path === TRAILER_NAME || !path.isWellFormed()) {
    throw new DiskError(
      'name_invalid',
      `cpio: expected a path without NUL, not the trailer's, found ${JSON.stringify(path)}`,
    );
  }
  if (name.length >= MAX_CPIO_NAME_BYTES) {
    throw new DiskError(
      'name_invalid',
      `cpio: expected a path of at most ${MAX_CPIO_NAME_BYTES - 1} octets, found ${name.length}: ${path.slice(0, 60)}…`,
    );
  }
}

function requireMode({ path, mode }: CpioMember): number {
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o177777 || (mode & FILE_TYPE_MASK) === 0) {
    throw new DiskError('options_invalid', `cpio: ${path}: expected a mode with a file type, found ${mode}`);
  }
  return mode;
}
