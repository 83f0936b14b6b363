// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual } from '@vouchsafe/base';
import { type ByteSource, readBytes, sliceSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';

/** ar(5) of GNU binutils; deb(5), "FORMAT". */
const MAGIC = ascii('!<arch>\n');
const HEADER_BYTES = 60;
const HEADER_END = ascii('`\n');
const VERSION_MEMBER = 'debian-binary';
const DATA_MEMBER = /^data\.tar(\.(gz|xz|zst|bz2|lzma))?$/;
const CONTROL_MEMBER = /^control\.tar(\.(gz|xz|zst))?$/;
/** A package has three, and some others that begin with an underscore. */
const MAX_MEMBERS = 100;

/** True for what begins as an ar archive, which a Debian package is. */
export function isArArchive(source: ByteSource): boolean {
  return source.size >= MAGIC.length && bytesEqual(readBytes(source, 0, MAGIC.length), MAGIC);
}

/**
 * The files of a Debian package: its data.tar, compressed or not. The signature of a package is that of the index which
 * lists it, so that it has none of its own to be checked here.
 * @throws {DiskError} 'deb_malformed', 'limit'. @throws {BytesError}
 */
export function debianPackageData(source: ByteSource): ByteSource {
  return debianPackageMember(source, DATA_MEMBER, 'data.tar');
}

/** What a Debian package says of itself: its control.tar. @throws as `debianPackageData`. */
export function debianPackageControl(source: ByteSource): ByteSource {
  return debianPackageMember(source, CONTROL_MEMBER, 'control.tar');
}

function debianPackageMember(source: ByteSource, wanted: RegExp, what: string): ByteSource {
  const refuse = (offset: number, problem: string): never => {
    throw new DiskError('deb_malformed', `${source.label}: Debian package, octet ${offset}: ${problem}`);
  };
  if (!isArArchive(source)) refuse(0, 'expected an ar archive');
  let at = MAGIC.length;
  for (let count = 0; at < source.size; count++) {
    if (count >= MAX_MEMBERS)
      throw new DiskError('limit', `${source.label}: Debian package: more than ${MAX_MEMBERS} members`);
    const { name, sizeBytes } = readHeader(source, at, refuse);
    const contentAt = at + HEADER_BYTES;
    if (sizeBytes > source.size - contentAt)
      refuse(at, `expected ${sizeBytes} octets of ${name}, found ${source.size - contentAt}`);
    if (count === 0) requireVersion(source, name, contentAt, sizeBytes, refuse);
    if (wanted.test(name)) return sliceSource(source, contentAt, sizeBytes, `${source.label}: ${name}`);
    at = contentAt + sizeBytes + (sizeBytes & 1);
  }
  return refuse(source.size, `expected a member ${what}, found the end`);
}

type Refuse = (offset: number, problem: string) => never;

/** "Archives … must begin with a member named debian-binary", of which the major version is 2. deb(5), "FORMAT". */
function requireVersion(source: ByteSource, name: string, at: number, sizeBytes: number, refuse: Refuse): void {
  const text =
    name === VERSION_MEMBER && sizeBytes < 100 ? String.fromCharCode(...readBytes(source, at, sizeBytes)) : '';
  if (!/^2\.[0-9]+\n/.test(text)) refuse(at, 'expected the member debian-binary with version 2');
}

function readHeader(
  source: ByteSource,
  at: number,
  refuse: Refuse,
): { readonly name: string; readonly sizeBytes: number } {
  if (HEADER_BYTES > source.size - at) refuse(at, 'expected the header of a member, found the end');
  const header = readBytes(source, at, HEADER_BYTES);
  const text = (from: number, to: number): string => String.fromCharCode(...header.subarray(from, to)).trimEnd();
  const size = text(48, 58);
  if (!bytesEqual(header.subarray(58, 60), HEADER_END) || !/^[0-9]{1,10}$/.test(size))
    refuse(at, 'expected the header of a member');
  return { name: text(0, 16).replace(/\/$/, ''), sizeBytes: Number(size) };
}
