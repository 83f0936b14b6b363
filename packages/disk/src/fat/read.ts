// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes, requireRange } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { type ClusterRun, followChain } from './chain.ts';
import { decodeDirectory, type RawFatEntry } from './read-directory.ts';
import { foldName } from './short-name.ts';
import { DIRECTORY_ENTRY_BYTES, FAT_ATTRIBUTES, MAX_DIRECTORY_ENTRIES } from './structures.ts';
import { parseFatTimestamp } from './timestamp.ts';
import { type FatVolume, fatMalformed } from './volume.ts';

/** A file or directory of a volume. Nothing makes its path safe to use on a host. */
export interface FatEntry {
  /** Parts between slashes. Untrusted. */
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** 0 for a directory. */
  readonly sizeBytes: number;
  readonly shortName: string;
  readonly attributes: number;
  /** When it was last written, in seconds since 1970, taking it as UTC; undefined when no time is there. */
  readonly mtimeSeconds: number | undefined;
  /** 0 for an empty file. */
  readonly firstCluster: number;
}

/** Entries that are listed at most. */
export const MAX_ENTRIES = 1_000_000;
/** Directories inside each other. */
export const MAX_DEPTH = 64;
export const MAX_DIRECTORY_BYTES = MAX_DIRECTORY_ENTRIES * DIRECTORY_ENTRY_BYTES;

/**
 * Every file and directory, each directory before what it holds, in the order of the disk.
 * @throws {DiskError} 'fat_malformed', also when two directories share clusters: so no directory is entered twice, and the
 * work is bounded by the size of the volume; 'limit' for too many or too deep entries. @throws {BytesError}
 */
export function* listFat(volume: FatVolume): Generator<FatEntry, void> {
  const seen = new Set<number>();
  let count = 0;
  const levels = [{ prefix: '', entries: decodeDirectory(readRoot(volume, seen)) }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.entries.next();
    if (next.done === true) {
      levels.pop();
      continue;
    }
    if (++count > MAX_ENTRIES)
      throw new DiskError('limit', `${volume.source.label}: FAT: more than ${MAX_ENTRIES} entries`);
    const entry = entryOf(volume, level.prefix, next.value);
    yield entry;
    if (entry.kind !== 'directory') continue;
    if (levels.length >= MAX_DEPTH) {
      throw new DiskError('limit', `${volume.source.label}: FAT: more than ${MAX_DEPTH} directories inside each other`);
    }
    const bytes = readDirectory(volume, entry.firstCluster, seen);
    levels.push({ prefix: `${entry.path}/`, entries: decodeDirectory(bytes) });
  }
}

/**
 * Looks a path up as firmware does: upper and lower case are the same, and short names count too.
 * @throws {DiskError} 'not_found', 'not_a_file' when a part of the path is a file, 'fat_malformed'. @throws {BytesError}
 */
export function findFatEntry(volume: FatVolume, path: string): FatEntry {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) throw new DiskError('not_found', `${volume.source.label}: expected a path, found none`);
  const seen = new Set<number>();
  let bytes = readRoot(volume, seen);
  let prefix = '';
  for (const [i, part] of parts.entries()) {
    const entry = entryNamed(volume, prefix, bytes, part);
    if (i === parts.length - 1) return entry;
    if (entry.kind !== 'directory') {
      throw new DiskError('not_a_file', `${volume.source.label}: ${entry.path}: expected a directory, found a file`);
    }
    bytes = readDirectory(volume, entry.firstCluster, seen);
    prefix = `${entry.path}/`;
  }
  throw new DiskError('not_found', `${volume.source.label}: no ${path}`);
}

function entryNamed(volume: FatVolume, prefix: string, bytes: Uint8Array, name: string): FatEntry {
  const folded = foldName(name);
  for (const raw of decodeDirectory(bytes)) {
    if (foldName(raw.name) === folded || foldName(raw.shortName) === folded) return entryOf(volume, prefix, raw);
  }
  throw new DiskError('not_found', `${volume.source.label}: no ${prefix}${name} on this FAT volume`);
}

/**
 * A file's content.
 * @throws {DiskError} 'not_a_file' for a directory, 'fat_malformed' when its clusters are not what its size needs.
 * @throws {BytesError}
 */
export function openFatFile(volume: FatVolume, entry: FatEntry): ByteSource {
  if (entry.kind !== 'file') throw new DiskError('not_a_file', `${entry.path}: expected a file, found a directory`);
  const label = `${volume.source.label}: ${entry.path}`;
  const clusters = Math.ceil(entry.sizeBytes / volume.clusterBytes);
  if (clusters > volume.clusterCount) {
    throw fatMalformed(
      volume.source,
      `${entry.path}: expected at most ${volume.clusterCount} clusters, found ${clusters}`,
    );
  }
  const runs = clusters === 0 ? [] : followChain(volume, entry.firstCluster, clusters);
  return runsSource(volume, runs, entry.sizeBytes, label);
}

export function entryOf(
  volume: FatVolume,
  prefix: string,
  { name, shortName, entry, firstCluster }: RawFatEntry,
): FatEntry {
  if (/[/\0]/.test(name) || name === '.' || name === '..' || name === '') {
    throw fatMalformed(
      volume.source,
      `expected a name in ${prefix === '' ? '/' : prefix}, found ${JSON.stringify(name)}`,
    );
  }
  const isDirectory = (entry.attributes & FAT_ATTRIBUTES.directory) !== 0;
  return {
    path: `${prefix}${name}`,
    kind: isDirectory ? 'directory' : 'file',
    sizeBytes: isDirectory ? 0 : entry.sizeBytes,
    shortName,
    attributes: entry.attributes,
    mtimeSeconds: parseFatTimestamp(entry.writeDate, entry.writeTime),
    firstCluster,
  };
}

function readRoot(volume: FatVolume, seen: Set<number>): Uint8Array {
  const { root, source } = volume;
  if (root.kind === 'fixed') return readBytes(source, root.offsetBytes, root.sizeBytes);
  return readDirectory(volume, root.firstCluster, seen);
}

/** Reads a whole directory, whose size is nowhere but in its chain: 2 MiB at most. */
function readDirectory(volume: FatVolume, firstCluster: number, seen: Set<number>): Uint8Array {
  const maxClusters = Math.max(1, Math.floor(MAX_DIRECTORY_BYTES / volume.clusterBytes));
  const runs = followChain(volume, firstCluster, maxClusters, true);
  let clusters = 0;
  for (const { firstCluster: start, count } of runs) {
    clusters += count;
    for (let cluster = start; cluster < start + count; cluster++) {
      if (seen.has(cluster)) {
        throw fatMalformed(volume.source, `expected cluster ${cluster} in one directory once, found it again`);
      }
      seen.add(cluster);
    }
  }
  const sizeBytes = clusters * volume.clusterBytes;
  return readBytes(runsSource(volume, runs, sizeBytes, volume.source.label), 0, sizeBytes);
}

/** The clusters of a file as one source. */
export function runsSource(volume: FatVolume, runs: readonly ClusterRun[], size: number, label: string): ByteSource {
  const { source, clusterBytes, dataOffsetBytes } = volume;
  const starts: number[] = [];
  let total = 0;
  for (const { count } of runs) {
    starts.push(total);
    total += count * clusterBytes;
  }
  const file: ByteSource = {
    size,
    label,
    read(offset, target) {
      requireRange(file, offset, target.length);
      let done = 0;
      for (let i = lastAtOrBefore(starts, offset); done < target.length; i++) {
        const run = runs[i] as ClusterRun;
        const within = offset + done - (starts[i] as number);
        const length = Math.min(target.length - done, run.count * clusterBytes - within);
        const at = dataOffsetBytes + (run.firstCluster - 2) * clusterBytes + within;
        source.read(at, target.subarray(done, done + length));
        done += length;
      }
    },
  };
  return file;
}

/** The index of the last start that is not behind `offset`. */
function lastAtOrBefore(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
