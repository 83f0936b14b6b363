// SPDX-License-Identifier: Apache-2.0
import { encode } from '@vouchsafe/codec';
import { ADVISE, CLUSTER_TYPES, erofsMapHeader, MAP_HEADER_BYTES } from '../structures.ts';

/** Logical clusters are as large as blocks. */
const CLUSTER_BITS = 12;
const CLUSTER_BYTES = 2 ** CLUSTER_BITS;
/** Clusters in a pack, octets for each. Linux, fs/erofs/zmap.c, z_erofs_load_compact_lcluster. */
const WIDE = { count: 2, octets: 4 } as const;
const NARROW = { count: 16, octets: 2 } as const;
/** Packs of 2 octets a cluster begin at a multiple of this. */
const NARROW_ALIGNMENT = 32;

/**
 * Which compressed block holds what of a file: for each 4096 octets of it, whether a block's content begins there and
 * where, or how far back it began. Blocks follow each other in the image.
 */
export class ClusterIndex {
  readonly #sizeBytes: number;
  readonly #types: Uint8Array;
  /** Of a head, where in the cluster it begins; of the others, how many clusters back their head is. */
  readonly #values: Uint16Array;
  #blocks = 0;
  #lastHead = 0;

  constructor(sizeBytes: number) {
    const clusters = Math.ceil(sizeBytes / CLUSTER_BYTES);
    this.#sizeBytes = sizeBytes;
    this.#types = new Uint8Array(clusters).fill(CLUSTER_TYPES.nonHead);
    this.#values = new Uint16Array(clusters);
  }

  get blocks(): number {
    return this.#blocks;
  }

  /** The next block, with the file's octets from `start` on, compressed or as they are. */
  add(start: number, isPlain: boolean): void {
    const cluster = Math.floor(start / CLUSTER_BYTES);
    this.#fillTo(cluster);
    this.#types[cluster] = isPlain ? CLUSTER_TYPES.plain : CLUSTER_TYPES.head;
    this.#values[cluster] = start % CLUSTER_BYTES;
    this.#lastHead = cluster;
    this.#blocks++;
  }

  /** Octets with the header in front, for an index whose header is at a multiple of 8. */
  sizeBytes(headerOffset: number): number {
    const { wideStart, narrow, wideEnd } = this.#packs(headerOffset);
    const wideOctets = (clusters: number) => Math.ceil(clusters / WIDE.count) * WIDE.count * WIDE.octets;
    return MAP_HEADER_BYTES + wideOctets(wideStart) + narrow * NARROW.octets + wideOctets(wideEnd);
  }

  /**
   * The header and the compact index.
   * @param headerOffset from the start of a block; only what is left of it by 32 matters.
   */
  encode(headerOffset: number, firstBlock: number): Uint8Array {
    this.#finish();
    const { wideStart, narrow, wideEnd } = this.#packs(headerOffset);
    const octets = new Uint8Array(this.sizeBytes(headerOffset));
    octets.set(
      encode(erofsMapHeader, { fragmentOffset: 0, advise: ADVISE.compacted2b, algorithms: 0, clusterBits: 0 }),
    );
    let at = MAP_HEADER_BYTES;
    let cluster = 0;
    let block = firstBlock - 1;
    const putPacks = (clusters: number, { count, octets: width }: { count: number; octets: number }): void => {
      const end = cluster + clusters;
      for (; cluster < end; cluster += count) {
        block = this.#putPack(
          octets.subarray(at, at + count * width),
          cluster,
          Math.min(count, end - cluster),
          count,
          block,
        );
        at += count * width;
      }
      cluster = end;
    };
    putPacks(wideStart, WIDE);
    putPacks(narrow, NARROW);
    putPacks(wideEnd, WIDE);
    return octets;
  }

  /** Where the last block ends inside a cluster, that cluster says so. Linux, fs/erofs/zmap.c, z_erofs_map_blocks_fo. */
  #finish(): void {
    const last = Math.floor(this.#sizeBytes / CLUSTER_BYTES);
    this.#fillTo(last);
    const rest = this.#sizeBytes % CLUSTER_BYTES;
    if (rest === 0 || last === this.#lastHead) return;
    this.#types[last] = CLUSTER_TYPES.plain;
    this.#values[last] = rest;
  }

  /** Clusters behind the last head and before `end`. */
  #fillTo(end: number): void {
    for (let cluster = this.#lastHead + 1; cluster < end; cluster++) this.#values[cluster] = cluster - this.#lastHead;
  }

  #packs(headerOffset: number): { readonly wideStart: number; readonly narrow: number; readonly wideEnd: number } {
    const total = this.#types.length;
    const toAlign = -(headerOffset + MAP_HEADER_BYTES) & (NARROW_ALIGNMENT - 1);
    const wideStart = Math.min(total, toAlign / WIDE.octets);
    const narrow = Math.floor((total - wideStart) / NARROW.count) * NARROW.count;
    return { wideStart, narrow, wideEnd: total - wideStart - narrow };
  }

  /**
   * Bits for each cluster, then the number of the block before the first that begins in the pack.
   * @returns the number of the last block that begins in it or before it.
   */
  #putPack(pack: Uint8Array, first: number, used: number, count: number, block: number): number {
    const bits = (pack.length * 8 - 32) / count;
    let last = block;
    for (let i = 0; i < used; i++) {
      const cluster = first + i;
      const type = this.#types[cluster] as number;
      let value = this.#values[cluster] as number;
      if (type !== CLUSTER_TYPES.nonHead) last++;
      // The last of a pack says how far on the next head is; how far back its own is follows from the one before.
      else if (i + 1 === count) value = this.#toNextHead(cluster);
      putBits(pack, i * bits, (type << CLUSTER_BITS) | value);
    }
    new DataView(pack.buffer, pack.byteOffset, pack.length).setUint32(pack.length - 4, block, true);
    return last;
  }

  #toNextHead(cluster: number): number {
    let next = cluster + 1;
    while (next < this.#types.length && this.#types[next] === CLUSTER_TYPES.nonHead) next++;
    return next - cluster;
  }
}

/** At most 16 bits, the least significant first. */
function putBits(octets: Uint8Array, at: number, value: number): void {
  const shifted = value << (at & 7);
  const octet = at >> 3;
  for (let i = 0; i < 3; i++) octets[octet + i] = (octets[octet + i] as number) | ((shifted >> (8 * i)) & 0xff);
}
