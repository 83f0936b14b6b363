// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { CodecError, decode } from '@vouchsafe/codec';
import { DiskError } from '../error.ts';
import { entryReader } from './chain.ts';
import { ChainWalk } from './chain-walk.ts';
import { type FatFinding, type FatFindingCode, fatFinding } from './findings.ts';
import { entryOf, type FatEntry, MAX_DEPTH, MAX_DIRECTORY_BYTES, MAX_ENTRIES, runsSource } from './read.ts';
import { decodeDirectory } from './read-directory.ts';
import { foldName } from './short-name.ts';
import { BOOT_SECTOR_BYTES, fatFsInfo } from './structures.ts';
import type { FatVolume } from './volume.ts';

/** More would be the same damage said again. */
const MAX_FINDINGS = 1000;

type Report = (code: FatFindingCode, path: string, expected: string, actual: string, offset?: number) => void;

/**
 * Everything that is wrong with a volume, whose boot sector is sound: chains that loop, cross or end in nothing, directories
 * that readers understand differently, copies that differ. Repairs nothing. Memory is an octet for every eight clusters.
 * @returns at most 1000 findings; none for a sound volume.
 * @throws {DiskError} 'limit' for more entries, or deeper ones, than are read. @throws {BytesError}
 */
export function checkFat(volume: FatVolume): FatFinding[] {
  const findings: FatFinding[] = [];
  const report: Report = (code, path, expected, actual, offset) => {
    if (findings.length >= MAX_FINDINGS) return;
    const where = { artefact: volume.source.label, path, ...(offset === undefined ? {} : { offset }) };
    findings.push(fatFinding(code, where, { expected, actual }));
  };
  const walk = new ChainWalk(volume, report);
  checkTree(volume, walk, report);
  checkUse(volume, walk, report);
  checkCopies(volume, report);
  return findings;
}

interface Directory {
  readonly path: string;
  readonly depth: number;
  readonly bytes: Uint8Array;
}

function checkTree(volume: FatVolume, walk: ChainWalk, report: Report): void {
  const { root, source } = volume;
  const queue: Directory[] = [];
  if (root.kind === 'fixed')
    queue.push({ path: '', depth: 0, bytes: readBytes(source, root.offsetBytes, root.sizeBytes) });
  else queue.push({ path: '', depth: 0, bytes: directoryBytes(volume, walk, '/', root.firstCluster) });
  let count = 0;
  for (let directory = queue.pop(); directory !== undefined; directory = queue.pop()) {
    for (const entry of entriesOf(volume, directory, report)) {
      if (++count > MAX_ENTRIES) throw new DiskError('limit', `${source.label}: FAT: more than ${MAX_ENTRIES} entries`);
      if (entry.kind === 'file') {
        const clusters = Math.ceil(entry.sizeBytes / volume.clusterBytes);
        walk.follow(entry.path, entry.firstCluster, clusters);
        continue;
      }
      if (directory.depth + 1 >= MAX_DEPTH) {
        throw new DiskError('limit', `${source.label}: FAT: more than ${MAX_DEPTH} directories inside each other`);
      }
      const bytes = directoryBytes(volume, walk, entry.path, entry.firstCluster);
      queue.push({ path: `${entry.path}/`, depth: directory.depth + 1, bytes });
    }
  }
}

/** What can be read of a directory: nothing where its first cluster is that of another. */
function directoryBytes(volume: FatVolume, walk: ChainWalk, path: string, firstCluster: number): Uint8Array {
  const maxClusters = Math.max(1, Math.floor(MAX_DIRECTORY_BYTES / volume.clusterBytes));
  const runs = walk.follow(path, firstCluster, maxClusters, true);
  const size = runs.reduce((sum, { count }) => sum + count, 0) * volume.clusterBytes;
  return readBytes(runsSource(volume, runs, size, volume.source.label), 0, size);
}

function entriesOf(volume: FatVolume, { path, bytes }: Directory, report: Report): FatEntry[] {
  const entries: FatEntry[] = [];
  const names = new Map<string, FatEntry>();
  const shown = path === '' ? '/' : path;
  const onOrphan = (at: number): void => {
    report('name_orphan', shown, 'an entry behind each long name', `none at octet ${at} of the directory`);
  };
  for (const raw of decodeDirectory(bytes, onOrphan)) {
    let entry: FatEntry;
    try {
      entry = entryOf(volume, path, raw);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      report('directory_malformed', shown, 'names without separators', JSON.stringify(raw.name));
      continue;
    }
    // A lookup takes the short name as well as the long one.
    for (const name of new Set([foldName(raw.name), foldName(raw.shortName)])) {
      const other = names.get(name);
      if (other === undefined) names.set(name, entry);
      else report('name_duplicate', entry.path, 'a name of its own', `also found by that of ${other.path}`);
    }
    entries.push(entry);
  }
  return entries;
}

/** What the table says is in use, against what something has. */
function checkUse(volume: FatVolume, walk: ChainWalk, report: Report): void {
  const nextOf = entryReader(volume);
  let free = 0;
  let lost = 0;
  let firstLost = 0;
  for (let cluster = 2; cluster < volume.clusterCount + 2; cluster++) {
    const next = nextOf(cluster);
    if (next === 0) free++;
    else if (!walk.isUsed(cluster) && (next === 'end' || next < volume.clusterCount + 2)) {
      if (lost++ === 0) firstLost = cluster;
    }
  }
  if (lost > 0) report('clusters_lost', 'table', 'none', `${lost}, the first being ${firstLost}`);
  const { fsInfoOffsetBytes, source } = volume;
  if (fsInfoOffsetBytes === undefined) return;
  try {
    const { freeCount } = decode(fatFsInfo, readBytes(source, fsInfoOffsetBytes, BOOT_SECTOR_BYTES));
    // All ones: not known. Section "FAT32 FSInfo Sector Structure and Backup Boot Sector".
    if (freeCount === 0xffffffff || freeCount === free) return;
    report('free_count', 'FSInfo', String(free), String(freeCount), fsInfoOffsetBytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    report('free_count', 'FSInfo', 'its signatures', 'other octets', fsInfoOffsetBytes);
  }
}

const CHUNK_BYTES = 256 * 1024;
/** BS_Reserved1 of FAT32, and of FAT12 and FAT16, where systems keep bit 0 as "in use". Linux, include/uapi/linux/msdos_fs.h, FAT_STATE_DIRTY. */
const STATE_OFFSET = { fat12: 37, fat16: 37, fat32: 65 } as const;
/** Octets of a boot sector's structures. */
const FAT32_STRUCTURE_BYTES = 90;

function checkCopies(volume: FatVolume, report: Report): void {
  const { source, tables, backupBootOffsetBytes, kind } = volume;
  for (let copy = 1; tables.areMirrored && copy < tables.count; copy++) {
    const at = firstDifference(
      source,
      tables.offsetBytes,
      tables.offsetBytes + copy * tables.strideBytes,
      tables.usedBytes,
    );
    if (at === undefined) continue;
    report('table_differs', `table ${copy + 1}`, 'the same as the first', 'other octets', tables.offsetBytes + at);
  }
  const state = readBytes(source, STATE_OFFSET[kind], 1)[0] ?? 0;
  const closed = kind === 'fat12' || hasCleanBits(volume);
  if ((state & 1) !== 0 || !closed) report('volume_dirty', 'boot sector', 'a closed volume', 'one in use');
  if (backupBootOffsetBytes === undefined) return;
  const [first, second] = [0, backupBootOffsetBytes].map((at) => {
    const octets = readBytes(source, at, FAT32_STRUCTURE_BYTES);
    octets[STATE_OFFSET.fat32] = 0;
    return octets;
  }) as [Uint8Array, Uint8Array];
  const differs = first.findIndex((octet, i) => octet !== second[i]);
  if (differs >= 0)
    report('boot_differs', `octet ${differs}`, 'the same in both', 'other octets', backupBootOffsetBytes);
}

/** Entry 1 has a bit for "closed" and one for "no errors". Microsoft FAT 1.03, "FAT Data Structure", FAT[1]. */
function hasCleanBits({ source, tables, kind, fatOffsetBytes }: FatVolume): boolean {
  if (tables.usedBytes < 8) return true;
  const view = new DataView(readBytes(source, fatOffsetBytes, 8).buffer);
  return kind === 'fat32'
    ? (view.getUint32(4, true) & 0x0c000000) === 0x0c000000
    : (view.getUint16(2, true) & 0xc000) === 0xc000;
}

function firstDifference(source: ByteSource, a: number, b: number, length: number): number | undefined {
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    const size = Math.min(CHUNK_BYTES, length - at);
    const [left, right] = [readBytes(source, a + at, size), readBytes(source, b + at, size)];
    const differs = left.findIndex((octet, i) => octet !== right[i]);
    if (differs >= 0) return at + differs;
  }
  return undefined;
}
