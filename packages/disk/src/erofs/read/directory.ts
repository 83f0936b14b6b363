// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, parseUtf8, toHex } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import { DiskError } from '../../error.ts';
import { compareBytes } from '../../tree/compare.ts';
import { DIRENT_BYTES } from '../structures.ts';
import { metadataSource } from './file.ts';
import type { ErofsInode } from './inode.ts';
import { erofsMalformed } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** A name in a directory. */
export interface ErofsDirent {
  readonly name: string;
  readonly nid: number;
  /** What kind the entry says the inode is; 0 when it does not. */
  readonly fileType: number;
}

const SELF = Uint8Array.of(0x2e);
const PARENT = Uint8Array.of(0x2e, 0x2e);
const MAX_NAME_BYTES = 255;

interface RawDirent {
  readonly name: Uint8Array;
  readonly nid: bigint;
  readonly fileType: number;
}

/**
 * The names in a directory, in order, without "." and "..", which must be there and lead to it and to its parent: so no two
 * directories share entries, and reading all is bounded by the size of the image.
 * @throws {DiskError} 'not_a_file' for what is no directory, 'erofs_malformed', 'name_invalid' for names that are not UTF-8.
 * @throws {BytesError}
 */
export function* readErofsDirectory(
  volume: ErofsVolume,
  directory: ErofsInode,
  parentNid: number,
): Generator<ErofsDirent, void> {
  const { source } = volume;
  const malformed = (problem: string) => erofsMalformed(source, `directory ${directory.nid}: ${problem}`);
  if (directory.kind !== 'directory') {
    throw new DiskError(
      'not_a_file',
      `${source.label}: inode ${directory.nid}: expected a directory, found a ${directory.kind}`,
    );
  }
  const missing = new Map([
    ['.', directory.nid],
    ['..', parentNid],
  ]);
  let previous: Uint8Array | undefined;
  for (const { name, nid, fileType } of rawEntries(volume, directory)) {
    // The kernel searches by halves: what is out of order is there in one listing and not in another.
    if (previous !== undefined && compareBytes(previous, name) >= 0) {
      throw malformed('expected its names in order, each once');
    }
    previous = name;
    const number = Number(nid);
    if (!Number.isSafeInteger(number)) throw malformed(`expected the number of an inode, found ${nid}`);
    if (bytesEqual(name, SELF) || bytesEqual(name, PARENT)) {
      const dots = name.length === 1 ? '.' : '..';
      if (missing.get(dots) !== number) throw malformed(`expected ${dots} to be ${missing.get(dots)}, found ${number}`);
      missing.delete(dots);
      continue;
    }
    yield { name: textOf(volume, directory, name), nid: number, fileType };
  }
  if (missing.size > 0) throw malformed(`expected ${[...missing.keys()].join(' and ')}, found none`);
}

/**
 * In each block the entries come first, then their names; the first name's offset says how many there are, and the last
 * name ends with the block or at a NUL. Linux, Documentation/filesystems/erofs.rst, "Directories"; fs/erofs/dir.c.
 */
function* rawEntries(volume: ErofsVolume, directory: ErofsInode): Generator<RawDirent, void> {
  const malformed = (problem: string) => erofsMalformed(volume.source, `directory ${directory.nid}: ${problem}`);
  const data = metadataSource(volume, directory);
  for (let start = 0; start < data.size; start += volume.blockBytes) {
    const block = readBytes(data, start, Math.min(volume.blockBytes, data.size - start));
    const view = new DataView(block.buffer);
    const namesStart = block.length < DIRENT_BYTES ? 0 : view.getUint16(8, true);
    if (namesStart < DIRENT_BYTES || namesStart % DIRENT_BYTES !== 0 || namesStart >= block.length) {
      throw malformed(`expected entries and names in the block at ${start}, found names from ${namesStart} on`);
    }
    for (let at = 0, nameAt = namesStart; at < namesStart; at += DIRENT_BYTES) {
      const isLast = at + DIRENT_BYTES === namesStart;
      const end = isLast ? endOfLast(block, nameAt) : view.getUint16(at + DIRENT_BYTES + 8, true);
      if (end <= nameAt || end > block.length || end - nameAt > MAX_NAME_BYTES) {
        throw malformed(`expected a name of 1 to ${MAX_NAME_BYTES} octets at ${start + nameAt}`);
      }
      const name = block.subarray(nameAt, end);
      if (name.includes(0) || name.includes(0x2f))
        throw malformed(`expected a name without NUL and / at ${start + nameAt}`);
      yield { name, nid: view.getBigUint64(at, true), fileType: view.getUint8(at + 10) };
      nameAt = end;
    }
  }
}

function endOfLast(block: Uint8Array, nameAt: number): number {
  const nul = block.indexOf(0, nameAt);
  return nul < 0 ? block.length : nul;
}

function textOf({ source }: ErofsVolume, directory: ErofsInode, name: Uint8Array): string {
  try {
    return parseUtf8(name);
  } catch (cause) {
    const where = `${source.label}: EROFS: directory ${directory.nid}`;
    throw new DiskError('name_invalid', `${where}: expected names in UTF-8, found ${toHex(name)}`, { cause });
  }
}
