// SPDX-License-Identifier: Apache-2.0
import { type ClusterRun, entryReader, type Next } from './chain.ts';
import type { FatFindingCode } from './findings.ts';
import type { FatVolume } from './volume.ts';

type Report = (code: FatFindingCode, path: string, expected: string, actual: string) => void;

/** Follows every chain of a volume once, and remembers which clusters something has. */
export class ChainWalk {
  readonly #volume: FatVolume;
  readonly #report: Report;
  readonly #nextOf: (cluster: number) => Next;
  readonly #used: Uint8Array;

  constructor(volume: FatVolume, report: Report) {
    this.#volume = volume;
    this.#report = report;
    this.#nextOf = entryReader(volume);
    this.#used = new Uint8Array(Math.ceil((volume.clusterCount + 2) / 8));
  }

  isUsed(cluster: number): boolean {
    return ((this.#used[cluster >>> 3] as number) & (1 << (cluster & 7))) !== 0;
  }

  /**
   * As far as the chain is its own and sound; what stops it is reported. No cluster is gone over twice, so that all chains
   * together take no longer than the volume has clusters.
   * @param count clusters that it should have; or, with `isAtMost`, at most.
   */
  follow(path: string, firstCluster: number, count: number, isAtMost = false): ClusterRun[] {
    if (count === 0) {
      if (firstCluster !== 0) this.#report('chain_length', path, 'no cluster', `cluster ${firstCluster}`);
      return [];
    }
    const runs: { firstCluster: number; count: number }[] = [];
    let length = 0;
    let cluster = firstCluster;
    while (this.#take(path, runs, cluster, length)) {
      length++;
      const last = runs.at(-1);
      if (last !== undefined && cluster === last.firstCluster + last.count) last.count++;
      else runs.push({ firstCluster: cluster, count: 1 });
      const next = this.#nextOf(cluster);
      if (next === 'end') {
        if (length < count && !isAtMost) this.#report('chain_length', path, `${count} clusters`, `${length}`);
        return runs;
      }
      if (length === count) {
        this.#report('chain_length', path, `${isAtMost ? 'at most ' : ''}${count} clusters`, `more, ${next} the next`);
        return runs;
      }
      cluster = next;
    }
    return runs;
  }

  /** False when the chain must not go on there. */
  #take(path: string, runs: readonly ClusterRun[], cluster: number, length: number): boolean {
    const { clusterCount } = this.#volume;
    if (cluster < 2 || cluster >= clusterCount + 2) {
      const found = cluster === 0 ? 'a free one' : `${cluster}`;
      this.#report('chain_invalid', path, `a cluster from 2 to ${clusterCount + 1}`, `${found} behind ${length}`);
      return false;
    }
    if (this.isUsed(cluster)) {
      const isOwn = runs.some(({ firstCluster, count }) => cluster >= firstCluster && cluster < firstCluster + count);
      if (isOwn) this.#report('chain_loop', path, 'an end', `cluster ${cluster} again`);
      else this.#report('cross_link', path, 'clusters of its own', `cluster ${cluster} of another`);
      return false;
    }
    this.#used[cluster >>> 3] = (this.#used[cluster >>> 3] as number) | (1 << (cluster & 7));
    return true;
  }
}
