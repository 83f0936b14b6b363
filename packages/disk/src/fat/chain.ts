// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';
import { type FatVolume, fatMalformed } from './volume.ts';

/** Clusters one after the other on the disk. */
export interface ClusterRun {
  readonly firstCluster: number;
  readonly count: number;
}

/** Runs of one file. Every one costs memory, and the volume chooses how many there are. */
const MAX_RUNS = 1_000_000;
/** Of the table, read at a time: small, for a chain may jump as often as it has pieces. */
const WINDOW_BYTES = 4096;

/** What a table entry says: 0 for a free cluster, and for a bad one a number that is none of the volume's. */
export type Next = number | 'end';

/**
 * Follows a chain of clusters. The caller says how many clusters there may be at most, so that a loop ends.
 * @param count clusters that the chain has exactly; or, with `isAtMost`, at most.
 * @throws {DiskError} 'fat_malformed' when the chain is shorter or longer, leaves the volume, or leads to a free or bad
 * cluster; 'limit' for too many runs. @throws {BytesError}
 */
export function followChain(volume: FatVolume, firstCluster: number, count: number, isAtMost = false): ClusterRun[] {
  const nextOf = entryReader(volume);
  const runs: ClusterRun[] = [];
  let start = firstCluster;
  let length = 0;
  let cluster = firstCluster;
  for (let n = 1; ; n++) {
    if (cluster < 2 || cluster >= volume.clusterCount + 2) {
      throw fatMalformed(volume.source, `expected a cluster from 2 to ${volume.clusterCount + 1}, found ${cluster}`);
    }
    length++;
    const next = nextOf(cluster);
    if (next === 'end') {
      if (n < count && !isAtMost) {
        throw fatMalformed(volume.source, `expected ${count} clusters from ${firstCluster} on, found ${n}`);
      }
      runs.push({ firstCluster: start, count: length });
      return runs;
    }
    if (n === count) {
      throw fatMalformed(
        volume.source,
        `expected the chain from cluster ${firstCluster} to end after ${count} clusters, found ${next} behind ${cluster}`,
      );
    }
    if (next !== cluster + 1) {
      runs.push({ firstCluster: start, count: length });
      if (runs.length >= MAX_RUNS) throw new DiskError('limit', `FAT: more than ${MAX_RUNS} pieces of one file`);
      start = next;
      length = 0;
    }
    cluster = next;
  }
}

/** A function that reads table entries, a window of the table at a time. Microsoft FAT 1.03, "FAT Data Structure". */
export function entryReader(volume: FatVolume): (cluster: number) => Next {
  const { source, kind, fatOffsetBytes } = volume;
  let window = new DataView(new ArrayBuffer(0));
  let windowAt = 0;
  const u16 = (at: number): number => {
    if (at < windowAt || at + 2 > windowAt + window.byteLength) {
      const bytes = new Uint8Array(Math.min(WINDOW_BYTES, source.size - at));
      source.read(at, bytes);
      window = new DataView(bytes.buffer);
      windowAt = at;
    }
    return window.getUint16(at - windowAt, true);
  };
  return (cluster) => {
    if (kind === 'fat32') {
      const at = fatOffsetBytes + 4 * cluster;
      // The upper four bits are reserved.
      return meaning(u16(at) + (u16(at + 2) & 0x0fff) * 0x10000, 0x0fffffff);
    }
    if (kind === 'fat16') return meaning(u16(fatOffsetBytes + 2 * cluster), 0xffff);
    const pair = u16(fatOffsetBytes + cluster + (cluster >> 1));
    return meaning(cluster & 1 ? pair >> 4 : pair & 0x0fff, 0x0fff);
  };
}

/** The last eight values end a chain. What is free (0) or bad (…7) is no cluster of the volume, and refused as such. */
function meaning(value: number, ones: number): Next {
  return value >= ones - 7 ? 'end' : value;
}
