// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes, sliceSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { type FileKind, fileKindOf, PERMISSION_MASK } from '../file-mode.ts';
import {
  CPIO_HEADER_BYTES,
  type CpioHeader,
  cpioPadding,
  decodeCpioHeader,
  malformed,
  TRAILER_NAME,
} from './header.ts';
import { MAX_CPIO_NAME_BYTES } from './write.ts';

/** A member of an archive. Nothing makes its path safe: it may climb out of a folder, or be absolute. */
export interface CpioEntry {
  /** Untrusted. */
  readonly path: string;
  readonly kind: FileKind;
  /** Without the file type. */
  readonly permissions: number;
  readonly header: CpioHeader;
  /** A file's content, or a symbolic link's target; a part of the source. */
  readonly content: ByteSource;
  /** Of the header, in octets from the start of the source. */
  readonly offset: number;
}

/** Members that are read at most, unless the caller says otherwise. */
export const DEFAULT_MAX_CPIO_ENTRIES = 1_000_000;

/**
 * Reads the members one by one, of several archives end to end too, as an initrd is; zeros may lie between and behind
 * them. Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * @throws {DiskError} 'cpio_malformed'; 'limit' for more than `maxEntries`. @throws {BytesError}
 */
export function* readCpio(source: ByteSource, maxEntries = DEFAULT_MAX_CPIO_ENTRIES): Generator<CpioEntry, void> {
  let at = skipZeros(source, 0);
  if (at === source.size) throw malformed(0, 'expected an archive, found nothing');
  let count = 0;
  while (at < source.size) {
    const { entry, end } = readEntry(source, at);
    // Zeros may lie behind a trailer only; between members they are no header, and refused as such.
    at = entry === undefined ? skipZeros(source, end) : end;
    if (entry === undefined) continue;
    if (++count > maxEntries) throw new DiskError('limit', `cpio archive: more than ${maxEntries} members`);
    if (at === source.size) throw malformed(at, `expected ${TRAILER_NAME} behind ${entry.path}, found the end`);
    yield entry;
  }
}

/**
 * The members of one archive that begins at an octet of the source, up to its trailer.
 * @returns also the octet behind it.
 * @throws {DiskError} 'cpio_malformed'; 'limit' for more than `maxEntries`. @throws {BytesError}
 */
export function readCpioArchive(
  source: ByteSource,
  start: number,
  maxEntries = DEFAULT_MAX_CPIO_ENTRIES,
): { readonly entries: CpioEntry[]; readonly end: number } {
  const entries: CpioEntry[] = [];
  for (let at = start; ; ) {
    const { entry, end } = readEntry(source, at);
    if (entry === undefined) return { entries, end };
    if (entries.length >= maxEntries) throw new DiskError('limit', `cpio archive: more than ${maxEntries} members`);
    entries.push(entry);
    at = end;
  }
}

function readEntry(source: ByteSource, at: number): { readonly entry: CpioEntry | undefined; readonly end: number } {
  requireLeft(source, at, CPIO_HEADER_BYTES, 'a header');
  const header = decodeCpioHeader(readBytes(source, at, CPIO_HEADER_BYTES), at);
  const { nameBytes, sizeBytes } = header;
  if (nameBytes < 2 || nameBytes > MAX_CPIO_NAME_BYTES) {
    throw malformed(at, `expected a path of 2 to ${MAX_CPIO_NAME_BYTES} octets, found ${nameBytes}`);
  }
  const nameAt = at + CPIO_HEADER_BYTES;
  requireLeft(source, nameAt, nameBytes, 'a path');
  const path = parsePath(readBytes(source, nameAt, nameBytes), nameAt);
  const contentAt = nameAt + nameBytes + cpioPadding(CPIO_HEADER_BYTES + nameBytes);
  requireLeft(source, contentAt, 0, 'padding');
  if (path === TRAILER_NAME) {
    if (sizeBytes !== 0) throw malformed(at, `expected a trailer without content, found ${sizeBytes} octets`);
    return { entry: undefined, end: contentAt };
  }
  const kind = fileKindOf(header.mode);
  if (kind === undefined) throw malformed(at, `expected a mode with a file type, found ${header.mode.toString(8)}`);
  if (sizeBytes > 0 && kind !== 'file' && kind !== 'symlink') {
    throw malformed(at, `expected a ${kind} without content, found ${sizeBytes} octets`);
  }
  if (kind === 'symlink' && (sizeBytes === 0 || sizeBytes > MAX_CPIO_NAME_BYTES)) {
    throw malformed(at, `expected a link target of 1 to ${MAX_CPIO_NAME_BYTES} octets, found ${sizeBytes}`);
  }
  requireLeft(source, contentAt, sizeBytes, `the content of ${path}`);
  const end = contentAt + sizeBytes + cpioPadding(sizeBytes);
  requireLeft(source, end, 0, 'padding');
  const content = sliceSource(source, contentAt, sizeBytes, path);
  return { entry: { path, kind, permissions: header.mode & PERMISSION_MASK, header, content, offset: at }, end };
}

function parsePath(name: Uint8Array, at: number): string {
  const nul = name.indexOf(0);
  if (nul !== name.length - 1) throw malformed(at, 'expected a path with one NUL, at its end');
  try {
    return parseUtf8(name.subarray(0, nul));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw malformed(at, 'expected a path in UTF-8', { cause });
  }
}

function requireLeft(source: ByteSource, at: number, length: number, what: string): void {
  if (at + length > source.size) {
    throw malformed(at, `expected ${what} of ${length} octets, found ${Math.max(0, source.size - at)} before the end`);
  }
}

const CHUNK_BYTES = 64 * 1024;

function skipZeros(source: ByteSource, from: number): number {
  for (let at = from; at < source.size; at += CHUNK_BYTES) {
    const chunk = readBytes(source, at, Math.min(CHUNK_BYTES, source.size - at));
    const used = chunk.findIndex((byte) => byte !== 0);
    if (used >= 0) return at + used;
  }
  return source.size;
}

/** The target of a symbolic link. @throws {DiskError} 'not_a_file', 'cpio_malformed'. @throws {BytesError} */
export function readCpioLink({ kind, path, content, offset }: CpioEntry): string {
  if (kind !== 'symlink') {
    throw new DiskError('not_a_file', `${path}: expected a symbolic link, found a ${kind}`);
  }
  try {
    return parseUtf8(readBytes(content, 0, content.size));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw malformed(offset, 'expected a link target in UTF-8', { cause });
  }
}
