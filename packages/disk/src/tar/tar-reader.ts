// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes, sliceSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { PERMISSION_MASK } from '../file-mode.ts';
import type { TreeAttributes, TreeEntry } from '../tree/file-tree.ts';
import { memberPath } from '../tree/member-path.ts';
import { decodeTarHeader, type TarHeader, upToNul } from './header.ts';
import { tarMalformed } from './malformed.ts';
import type { TarMember } from './member.ts';
import { PaxHeaders, type PaxRecord, parsePax, paxInteger, paxTime } from './pax.ts';
import { paxSparseMap, readGnuMap1, readOldGnuMap, sparseSource } from './sparse.ts';
import { TAR_BLOCK_BYTES, TAR_TYPES } from './structures.ts';
import { xattrsOf } from './xattrs.ts';

/** Of an extended header: attributes have 64 KiB each at most (Linux, XATTR_SIZE_MAX). */
const MAX_PAX_BYTES = 16 * 1024 * 1024;
/** Of a name in a member of its own; PATH_MAX is 4096. */
const MAX_LONG_NAME_BYTES = 65536;

/** All ones is no owner (chown(2)); device numbers have 12 and 20 bits (Linux, include/linux/kdev_t.h). */
const MAX_ID = 0xfffffffe;
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xfffff;

/** What stands for the next member in headers of their own. */
interface LongNames {
  name: Uint8Array | undefined;
  link: Uint8Array | undefined;
}

/** Goes through an archive, header by header. */
export class TarReader {
  readonly #source: ByteSource;
  readonly #pax: PaxHeaders;
  readonly #isKnownWhole: boolean;
  #long: LongNames = { name: undefined, link: undefined };
  #at = 0;

  constructor(source: ByteSource, isKnownWhole: boolean) {
    this.#source = source;
    this.#isKnownWhole = isKnownWhole;
    this.#pax = new PaxHeaders(source.label);
  }

  /** A member; 'none' for what only says something of others; undefined at the end. */
  next(): TarMember | 'none' | undefined {
    const at = this.#at;
    const header = this.#header(at);
    if (header === undefined) return this.#end(at);
    switch (header.typeFlag) {
      case TAR_TYPES.paxHeader:
      case TAR_TYPES.solarisPax:
        this.#pax.setOwn(this.#paxRecords(header, at), at);
        return 'none';
      case TAR_TYPES.paxGlobal:
        this.#pax.addGlobal(this.#paxRecords(header, at));
        return 'none';
      case TAR_TYPES.gnuLongName:
        this.#long.name = this.#longName(header, at, this.#long.name);
        return 'none';
      case TAR_TYPES.gnuLongLink:
        this.#long.link = this.#longName(header, at, this.#long.link);
        return 'none';
      case TAR_TYPES.gnuVolumeLabel:
        this.#at = at + TAR_BLOCK_BYTES;
        this.#takeContent(at, header.sizeBytes);
        return 'none';
      default: {
        const entry = this.#entry(header, at);
        this.#pax.clearOwn();
        this.#long = { name: undefined, link: undefined };
        return { entry, offset: at };
      }
    }
  }

  #header(at: number): TarHeader | undefined {
    const { size, label } = this.#source;
    // Not even the last content need be filled up to its block.
    if (this.#isKnownWhole && at >= size) return undefined;
    if (at + TAR_BLOCK_BYTES > size) {
      const found = size === 0 ? 'nothing' : 'the end';
      throw tarMalformed(label, at, `expected a header or a block of zeros, found ${found}; is the archive whole?`);
    }
    return decodeTarHeader(readBytes(this.#source, at, TAR_BLOCK_BYTES), label, at);
  }

  /** POSIX.1-2017, pax, "ustar Interchange Format": what lies behind the end is undefined. One block of zeros will do. */
  #end(at: number): undefined {
    if (this.#pax.hasOwn || this.#long.name !== undefined || this.#long.link !== undefined) {
      throw tarMalformed(this.#source.label, at, 'expected a member behind its extended header, found the end');
    }
    if (at === 0 && this.#source.size > TAR_BLOCK_BYTES && this.#header(TAR_BLOCK_BYTES) !== undefined) {
      throw tarMalformed(this.#source.label, at, 'expected a tar archive, found a block of zeros and more behind it');
    }
    return undefined;
  }

  #paxRecords({ sizeBytes }: TarHeader, at: number): PaxRecord[] {
    const octets = this.#small(at, sizeBytes, MAX_PAX_BYTES, 'an extended header');
    return parsePax(octets, this.#source.label, at + TAR_BLOCK_BYTES);
  }

  #longName({ sizeBytes }: TarHeader, at: number, before: Uint8Array | undefined): Uint8Array {
    if (before !== undefined)
      throw tarMalformed(this.#source.label, at, 'expected one long name of a member, found two');
    return upToNul(this.#small(at, sizeBytes, MAX_LONG_NAME_BYTES, 'a long name')).slice();
  }

  #small(at: number, sizeBytes: number, maxBytes: number, what: string): Uint8Array {
    if (sizeBytes > maxBytes) {
      throw new DiskError(
        'limit',
        `${this.#source.label}: tar archive, octet ${at}: expected ${what} of at most ${maxBytes} octets, found ${sizeBytes}`,
      );
    }
    this.#at = at + TAR_BLOCK_BYTES;
    const content = this.#takeContent(at, sizeBytes);
    return readBytes(content, 0, sizeBytes);
  }

  /** The content at the place reached, which is left behind it. */
  #takeContent(headerAt: number, sizeBytes: number, label = this.#source.label): ByteSource {
    const at = this.#at;
    const { size } = this.#source;
    if (sizeBytes > size - at) {
      throw tarMalformed(
        this.#source.label,
        headerAt,
        `expected ${sizeBytes} octets of content, found ${Math.max(0, size - at)} before the end`,
      );
    }
    this.#at = at + Math.ceil(sizeBytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
    return sliceSource(this.#source, at, sizeBytes, label);
  }

  #entry(header: TarHeader, at: number): TreeEntry {
    const { label } = this.#source;
    const pax = this.#pax.all();
    const name = this.#text(pax.get('GNU.sparse.name') ?? pax.get('path'), this.#long.name ?? header.name, at);
    const path = memberPath(name);
    const isOldFile = header.typeFlag === TAR_TYPES.oldFile || header.typeFlag === TAR_TYPES.file;
    // Before 1988 a slash at the end was what made a directory.
    const typeFlag = isOldFile && name.endsWith('/') ? TAR_TYPES.directory : header.typeFlag;
    const size = pax.get('size');
    const sizeBytes = size === undefined ? header.sizeBytes : paxInteger(size, label);
    if (sizeBytes < 0) throw tarMalformed(label, at, `expected a size, found ${sizeBytes}`);
    this.#at = at + TAR_BLOCK_BYTES;
    const attributes = (): TreeAttributes => this.#attributes(header, path, pax, at);
    const refuse = (problem: string): never => {
      throw new DiskError('tar_unsupported', `${label}: tar archive, octet ${at}: ${path}: ${problem}`);
    };
    switch (typeFlag) {
      case TAR_TYPES.file:
      case TAR_TYPES.oldFile:
      case TAR_TYPES.contiguous:
      case TAR_TYPES.gnuSparse: {
        if (path === '') throw tarMalformed(label, at, 'expected the name of a file, found none');
        if (typeFlag === TAR_TYPES.gnuSparse && !header.isGnu) refuse('expected a sparse file of GNU tar');
        return { kind: 'file', ...attributes(), content: this.#content(header, path, sizeBytes, pax, at) };
      }
      case TAR_TYPES.directory:
        // A size is what the directory may grow to on systems that know such a limit; nothing follows.
        return { kind: 'directory', ...attributes() };
      case TAR_TYPES.gnuDumpDirectory:
        this.#takeContent(at, sizeBytes);
        return { kind: 'directory', ...attributes() };
      case TAR_TYPES.symlink:
        this.#takeContent(at, sizeBytes);
        return { kind: 'symlink', ...attributes(), target: this.#linkTarget(header, pax, at) };
      case TAR_TYPES.hardlink:
        // Some writers mean that content follows, and some that the file has that much: readers differ.
        if (sizeBytes !== 0) refuse(`expected a hard link without content, found ${sizeBytes} octets`);
        return { kind: 'hardlink', path, target: memberPath(this.#linkTarget(header, pax, at)) };
      case TAR_TYPES.fifo:
        return { kind: 'fifo', ...attributes() };
      case TAR_TYPES.block:
      case TAR_TYPES.character: {
        const kind = typeFlag === TAR_TYPES.block ? 'block' : 'character';
        const major = this.#integer(pax.get('SCHILY.devmajor'), header.deviceMajor, MAX_MAJOR, at);
        const minor = this.#integer(pax.get('SCHILY.devminor'), header.deviceMinor, MAX_MINOR, at);
        return { kind, ...attributes(), device: { major, minor } };
      }
      default:
        return refuse(
          `expected a file, directory, link, device or pipe, found type ${JSON.stringify(String.fromCharCode(typeFlag))}; make the archive in one piece, in the pax format`,
        );
    }
  }

  #content(
    header: TarHeader,
    path: string,
    sizeBytes: number,
    pax: ReadonlyMap<string, PaxRecord>,
    at: number,
  ): ByteSource {
    const { label } = this.#source;
    const content = (size: number): ByteSource => this.#takeContent(at, size, path);
    if (header.typeFlag === TAR_TYPES.gnuSparse) {
      const { map, dataAt } = readOldGnuMap(this.#source, header, at);
      this.#at = dataAt;
      return sparseSource(content(sizeBytes), map, path, label, at);
    }
    const major = pax.get('GNU.sparse.major');
    const realSize = pax.get('GNU.sparse.realsize');
    if (major !== undefined && realSize !== undefined) {
      const minor = pax.get('GNU.sparse.minor');
      if (paxInteger(major, label) !== 1 || minor === undefined || paxInteger(minor, label) !== 0) {
        throw new DiskError('tar_unsupported', `${label}: ${path}: expected a sparse file of version 1.0`);
      }
      const stored = content(sizeBytes);
      const dataAt = at + TAR_BLOCK_BYTES;
      const { map, mapBytes } = readGnuMap1(this.#source, dataAt, sizeBytes, paxInteger(realSize, label));
      return sparseSource(sliceSource(stored, mapBytes, sizeBytes - mapBytes), map, path, label, at);
    }
    const map = paxSparseMap(this.#pax.own, label);
    return map === undefined ? content(sizeBytes) : sparseSource(content(sizeBytes), map, path, label, at);
  }

  #attributes(header: TarHeader, path: string, pax: ReadonlyMap<string, PaxRecord>, at: number): TreeAttributes {
    const { label } = this.#source;
    const mtime = pax.get('mtime');
    const time = mtime === undefined ? { seconds: header.mtimeSeconds, nanoseconds: 0 } : paxTime(mtime, label);
    // File systems here know no time before 1970.
    const { seconds, nanoseconds } = time.seconds < 0 ? { seconds: 0, nanoseconds: 0 } : time;
    const xattrs = xattrsOf(pax, label);
    return {
      path,
      mode: header.mode & PERMISSION_MASK,
      uid: this.#integer(pax.get('uid'), header.uid, MAX_ID, at),
      gid: this.#integer(pax.get('gid'), header.gid, MAX_ID, at),
      mtimeSeconds: seconds,
      ...(nanoseconds === 0 ? {} : { mtimeNanoseconds: nanoseconds }),
      ...(xattrs.length === 0 ? {} : { xattrs }),
    };
  }

  #integer(record: PaxRecord | undefined, inHeader: number, max: number, at: number): number {
    const { label } = this.#source;
    const value = record === undefined ? inHeader : paxInteger(record, label);
    if (value >= 0 && value <= max) return value;
    throw tarMalformed(label, record?.offset ?? at, `expected an owner or device from 0 to ${max}, found ${value}`);
  }

  #linkTarget(header: TarHeader, pax: ReadonlyMap<string, PaxRecord>, at: number): string {
    const target = this.#text(pax.get('linkpath'), this.#long.link ?? header.linkName, at);
    if (target === '') throw tarMalformed(this.#source.label, at, 'expected where a link leads, found nothing');
    return target;
  }

  /** Names are what the writer's file system had, which says nothing of their characters; the trees here have UTF-8. */
  #text(record: PaxRecord | undefined, inHeader: Uint8Array, at: number): string {
    try {
      return parseUtf8(record?.value ?? inHeader);
    } catch (cause) {
      if (!(cause instanceof TextError)) throw cause;
      throw new DiskError('name_invalid', `${this.#source.label}: tar archive, octet ${at}: expected a name in UTF-8`, {
        cause,
      });
    }
  }
}
