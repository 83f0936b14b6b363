// SPDX-License-Identifier: Apache-2.0
import { decode } from '@vouchsafe/codec';
import { alignUp } from '../../align.ts';
import { ADVISE, CLUSTER_TYPES, erofsMapHeader, MAP_HEADER_BYTES } from '../structures.ts';
import type { ErofsInode } from './inode.ts';
import { erofsMalformed, erofsUnsupported } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** What an index says of a logical cluster. */
export interface ClusterEntry {
  readonly type: number;
  /** Of a head: where in the cluster it begins. */
  readonly offset: number;
  /** Of a head: its first block. */
  readonly block: number;
  /** Of the others: how many clusters back a head, or another on the way to it, is. */
  readonly back: number;
  /** Of the first behind a head: how many blocks that has, where it says so. */
  readonly blockCount: number | undefined;
}

/** All of the file is in the packed inode. */
const WHOLE_FRAGMENT = 0x80;
const CLUSTER_BITS_MASK = 0x0f;
/** In the place of a distance: how many blocks the head has. Linux, fs/erofs/erofs_fs.h, Z_EROFS_LI_D0_CBLKCNT. */
const HAS_BLOCK_COUNT = 1 << 11;
const BLOCK_COUNT_BITS = 12;
/** Of an index of 8 octets a cluster. */
const FULL_ENTRY_BYTES = 8;
const FULL_INDEX_PADDING = 8;
const KNOWN_ADVISE = Object.values(ADVISE).reduce((all, bit) => all | bit, 0);
/** Linux, fs/erofs/zmap.c, z_erofs_load_compact_lcluster. */
const MAX_COMPACT_BITS = 14;
const MAX_NARROW_BITS = 12;

/**
 * The index behind a compressed inode. Linux, fs/erofs/zmap.c.
 * @throws {DiskError} 'erofs_malformed', 'erofs_unsupported'. @throws {BytesError}
 */
export class ClusterMap {
  readonly advise: number;
  /** By the kind of head. */
  readonly algorithms: readonly [number, number];
  readonly clusters: number;
  /** Where the end of the file, or all of it, is in the packed inode; undefined when it is not there. */
  readonly fragmentOffset: bigint | undefined;
  readonly isWholeFragment: boolean;
  /** Octets of the last block when it is behind the index; else 0. */
  readonly inlineBytes: number;
  /** Behind the index. */
  readonly endOffset: number;
  readonly #volume: ErofsVolume;
  readonly #nid: number;
  readonly #isFull: boolean;
  /** Where the first entry is. */
  readonly #start: number;
  /** Of a compact index: clusters in packs of 4 octets each, then of 2. */
  readonly #wideStart: number;
  readonly #narrow: number;

  constructor(volume: ErofsVolume, { nid, layout, place, sizeBytes }: ErofsInode) {
    this.#volume = volume;
    this.#nid = nid;
    this.#isFull = layout === 'compressed-full';
    const { source, blockBytes } = volume;
    const { blockBits, pages } = volume.layout;
    const headerOffset = alignUp(place.restOffset, 8);
    if (headerOffset + MAP_HEADER_BYTES > source.size) throw this.#malformed('expected its index inside the image');
    const cells = pages.read(headerOffset, MAP_HEADER_BYTES);
    const header = decode(erofsMapHeader, cells);
    this.isWholeFragment = (header.clusterBits & WHOLE_FRAGMENT) !== 0;
    this.advise = this.isWholeFragment ? ADVISE.fragment : header.advise;
    this.algorithms = [header.algorithms & 0xf, header.algorithms >> 4];
    this.clusters = this.isWholeFragment ? 0 : Math.ceil(sizeBytes / blockBytes);
    const hasFragment = (this.advise & ADVISE.fragment) !== 0;
    this.fragmentOffset = !hasFragment
      ? undefined
      : this.isWholeFragment
        ? new DataView(cells.buffer, cells.byteOffset, MAP_HEADER_BYTES).getBigUint64(0, true) & ((1n << 63n) - 1n)
        : BigInt(header.fragmentOffset);
    this.inlineBytes = !hasFragment && (this.advise & ADVISE.inlineCluster) !== 0 ? header.fragmentOffset >>> 16 : 0;
    const indexOffset = headerOffset + MAP_HEADER_BYTES;
    this.#start = this.#isFull ? indexOffset + FULL_INDEX_PADDING : indexOffset;
    const toAlign = ((32 - (indexOffset % 32)) / 4) & 7;
    const isNarrow = !this.#isFull && (this.advise & ADVISE.compacted2b) !== 0;
    this.#wideStart = isNarrow ? Math.min(toAlign, this.clusters) : this.clusters;
    this.#narrow = Math.floor((this.clusters - this.#wideStart) / 16) * 16;
    this.endOffset = this.#end();
    if (this.isWholeFragment) return;
    if ((this.advise & ~KNOWN_ADVISE) !== 0 || (this.#isFull && (this.advise & ADVISE.compacted2b) !== 0)) {
      throw erofsUnsupported(source, `inode ${nid}: an index of kind 0x${this.advise.toString(16)}`);
    }
    if ((header.clusterBits & CLUSTER_BITS_MASK) !== 0) {
      throw erofsUnsupported(source, `inode ${nid}: clusters that are larger than blocks`);
    }
    if (!this.#isFull && (blockBits > MAX_COMPACT_BITS || (this.#narrow > 0 && blockBits > MAX_NARROW_BITS))) {
      throw erofsUnsupported(source, `inode ${nid}: a compact index of blocks of ${blockBytes} octets`);
    }
    const bigBits = this.advise & (ADVISE.bigCluster1 | ADVISE.bigCluster2);
    if (!this.#isFull && bigBits !== 0 && bigBits !== (ADVISE.bigCluster1 | ADVISE.bigCluster2)) {
      throw this.#malformed('expected both kinds of heads of a compact index to have a count of blocks, or none');
    }
    if (this.endOffset > source.size)
      throw this.#malformed(`expected an index of ${this.clusters} clusters inside the image`);
  }

  /** What the index says of a cluster; `at` is below `clusters`. */
  entry(at: number): ClusterEntry {
    const entry = this.#isFull ? this.#fullEntry(at) : this.#compactEntry(at);
    const isHead = entry.type !== CLUSTER_TYPES.nonHead;
    if (isHead && entry.offset >= this.#volume.blockBytes) {
      throw this.#malformed(`expected the head in cluster ${at}, found it at ${entry.offset}`);
    }
    return entry;
  }

  /** Whether heads of a type say how many blocks they have; the others have one. */
  hasBlockCounts(type: number): boolean {
    return (this.advise & (type === CLUSTER_TYPES.head ? ADVISE.bigCluster1 : ADVISE.bigCluster2)) !== 0;
  }

  #fullEntry(at: number): ClusterEntry {
    const cells = this.#volume.layout.pages.read(this.#start + at * FULL_ENTRY_BYTES, FULL_ENTRY_BYTES);
    const view = new DataView(cells.buffer, cells.byteOffset, FULL_ENTRY_BYTES);
    const type = view.getUint16(0, true) & 3;
    if (type !== CLUSTER_TYPES.nonHead) {
      const offset = view.getUint16(2, true);
      return { type, offset, block: view.getUint32(4, true), back: 0, blockCount: undefined };
    }
    return this.#nonHead(view.getUint16(4, true));
  }

  #nonHead(value: number): ClusterEntry {
    const hasCount = (value & HAS_BLOCK_COUNT) !== 0;
    if (hasCount && !this.hasBlockCounts(CLUSTER_TYPES.head) && !this.hasBlockCounts(CLUSTER_TYPES.head2)) {
      throw this.#malformed('expected no count of blocks where there is one block each');
    }
    const blockCount = hasCount ? value & ~HAS_BLOCK_COUNT : undefined;
    return { type: CLUSTER_TYPES.nonHead, offset: 0, block: 0, back: hasCount ? 1 : value, blockCount };
  }

  /** A pack has bits for each of its clusters, and then one block number. */
  #compactEntry(at: number): ClusterEntry {
    const isNarrow = at >= this.#wideStart && at < this.#wideStart + this.#narrow;
    const [count, octets] = isNarrow ? [16, 32] : [2, 8];
    const region = at < this.#wideStart ? 0 : isNarrow ? this.#wideStart : this.#wideStart + this.#narrow;
    const regionOffset =
      this.#start + (region === 0 ? 0 : this.#wideStart * 4) + (region > this.#wideStart ? this.#narrow * 2 : 0);
    const i = (at - region) % count;
    const pack = this.#volume.layout.pages.read(regionOffset + ((at - region - i) / count) * octets, octets);
    const view = new DataView(pack.buffer, pack.byteOffset, octets);
    const valueBits = Math.max(this.#volume.layout.blockBits, BLOCK_COUNT_BITS);
    const cellBits = (octets * 8 - 32) / count;
    const cell = (j: number): number => {
      const bit = j * cellBits;
      // The last cells are in front of the block number, so that four octets are always there.
      return (view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << cellBits) - 1);
    };
    const valueAt = (j: number): number => cell(j) & ((1 << valueBits) - 1);
    const typeAt = (j: number): number => (cell(j) >>> valueBits) & 3;
    const type = typeAt(i);
    if (type === CLUSTER_TYPES.nonHead) {
      const value = valueAt(i);
      if (i + 1 !== count || (value & HAS_BLOCK_COUNT) !== 0) return this.#nonHead(value);
      // The last cell has the way to the next head instead: the way back is one more than that of the cell before.
      const before = typeAt(i - 1) === CLUSTER_TYPES.nonHead ? this.#nonHead(valueAt(i - 1)).back : 0;
      return this.#nonHead(before + 1);
    }
    const base = view.getUint32(octets - 4, true);
    return {
      type,
      offset: valueAt(i),
      block: base + this.#blocksBefore(i, typeAt, valueAt),
      back: 0,
      blockCount: undefined,
    };
  }

  /** From a pack's block number to the first block of its head `i`. */
  #blocksBefore(i: number, typeAt: (j: number) => number, valueAt: (j: number) => number): number {
    const hasCounts = this.hasBlockCounts(CLUSTER_TYPES.head);
    const isCount = (j: number): boolean =>
      hasCounts && typeAt(j) === CLUSTER_TYPES.nonHead && (valueAt(j) & HAS_BLOCK_COUNT) !== 0;
    let blocks = hasCounts ? 0 : 1;
    for (let j = 0; j < i; j++) {
      if (isCount(j)) blocks += valueAt(j) & ~HAS_BLOCK_COUNT;
      else if (typeAt(j) !== CLUSTER_TYPES.nonHead && !isCount(j + 1)) blocks++;
    }
    return blocks;
  }

  /** Where the last cluster's pack, or entry, ends. */
  #end(): number {
    if (this.#isFull) return this.#start + this.clusters * FULL_ENTRY_BYTES;
    const wide = (clusters: number) => Math.ceil(clusters / 2) * 8;
    const wideEnd = this.clusters - this.#wideStart - this.#narrow;
    return this.#start + wide(this.#wideStart) + this.#narrow * 2 + wide(wideEnd);
  }

  #malformed(problem: string): Error {
    return erofsMalformed(this.#volume.source, `inode ${this.#nid}: ${problem}`);
  }
}
