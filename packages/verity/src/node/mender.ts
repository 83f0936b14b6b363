// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import { correctBlocks } from '../fec/fec-correct.ts';
import { columnsInRound, type FecGeometry, fecPlace } from '../fec/fec-layout.ts';
import type { FecSources } from '../fec/fec-round.ts';
import type { BlockSet } from '../tree/block-set.ts';
import type { TreeLayout, TreeLevel } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';
import { saltedDigester } from '../tree/salted.ts';
import { DATA_LEVEL, VerifiedTree } from '../tree/verified-tree.ts';
import type { VerityReport } from '../tree/verify.ts';

/** Rounds of error correction in one go: the decoder's start is shared, and at most 253 times as many blocks are named. */
const ROUNDS_AT_ONCE = 256;
/** Numbers of repaired blocks that are kept; damage must not decide our memory. */
const MAX_LISTED = 100_000;
const TREE_CACHE_BYTES = 4 * 1024 * 1024;

export interface MenderFiles extends FecSources {
  readonly dataOut: ByteSink;
  readonly hashOut: ByteSink;
}

/** What has been written. */
export interface Repairs {
  /** Data blocks that were damaged and have been written anew, in ascending order; the first 100 000. */
  readonly repairedData: readonly number[];
  /** By level: hash blocks that were damaged and have been written anew; as many. */
  readonly repairedHash: readonly (readonly number[])[];
  /** How many blocks were written anew, listed or not. */
  readonly repairedBlocks: number;
  /** Bytes that were changed. */
  readonly changedBytes: number;
}

/** A block of the data (DATA_LEVEL) or of a level of the tree. */
interface Target {
  readonly level: number;
  readonly index: number;
}

/** Writes damaged blocks anew; each only when the root hash vouches for what is written. */
export class Mender {
  readonly #p: VerityParameters;
  readonly #layout: TreeLayout;
  readonly #geometry: FecGeometry;
  readonly #files: MenderFiles;
  readonly #tree: VerifiedTree;
  readonly #digest: (block: Uint8Array) => Uint8Array;
  /** By level, the data at the end. */
  readonly #listed: number[][];
  #repairedBlocks = 0;
  #changedBytes = 0;

  constructor(
    p: VerityParameters,
    layout: TreeLayout,
    geometry: FecGeometry,
    rootHash: Uint8Array,
    files: MenderFiles,
  ) {
    this.#p = p;
    this.#layout = layout;
    this.#geometry = geometry;
    this.#files = files;
    this.#tree = new VerifiedTree(files.hash.source, p, layout, rootHash, TREE_CACHE_BYTES);
    // Error correction exists only where data and hash blocks have one size.
    this.#digest = saltedDigester(p, p.hashBlockSize, layout.cells.digestBytes);
    this.#listed = Array.from({ length: layout.levels.length + 1 }, () => []);
  }

  repairs(): Repairs {
    const [repairedData = [], ...repairedHash] = this.#listed.map((list) => list.toSorted((a, b) => a - b));
    return { repairedData, repairedHash, repairedBlocks: this.#repairedBlocks, changedBytes: this.#changedBytes };
  }

  /** Mends the damage that was found; true when a block was written. */
  async mend(damage: VerityReport, work: LongWork): Promise<boolean> {
    const { rounds, columns, blockSize, inputBlocks, inputSizeBytes: total } = this.#geometry;
    const before = this.#repairedBlocks;
    const isGood = (block: number): boolean => isKnownGood(this.#targetOf(block), damage, this.#layout.cells.perBlock);
    const report = async (roundsDone: number): Promise<void> => {
      await work.onProgress?.({
        phase: 'repairing',
        done: Math.min(inputBlocks, roundsDone * columns) * blockSize,
        total,
      });
      work.signal?.throwIfAborted();
    };
    for (let round = 0; round < rounds; round += ROUNDS_AT_ONCE) {
      const end = Math.min(rounds, round + ROUNDS_AT_ONCE);
      const bad = this.#badBlocks(damage, round, end);
      if (bad.length > 0) {
        const request = { wanted: bad, erasures: bad, isGood };
        // Rounds come in order, and each takes some 10 ms (blocks of 4 KiB): the event loop has to turn in between.
        for (const { block, bytes, changedBytes } of correctBlocks(this.#geometry, this.#files, request)) {
          if (changedBytes > 0) this.#write(block, bytes, changedBytes);
          await report(fecPlace(this.#geometry, block).round);
        }
      }
      await report(end);
    }
    return this.#repairedBlocks > before;
  }

  /** Numbers of the damaged blocks in rounds `from` up to but not including `end`. */
  #badBlocks(report: VerityReport, from: number, end: number): number[] {
    const { rounds } = this.#geometry;
    const bad: number[] = [];
    for (let round = from; round < end; round++) {
      for (let column = 0; column < columnsInRound(this.#geometry, round); column++) {
        const block = column * rounds + round;
        if (isBad(this.#targetOf(block), report)) bad.push(block);
      }
    }
    return bad;
  }

  /** Writes the block if it has the digest that the root hash promises; else it stays as it is. */
  #write(block: number, bytes: Uint8Array, changedBytes: number): void {
    const target = this.#targetOf(block);
    if (target === undefined || !this.#isPromised(target, bytes)) return;
    const { level, index } = target;
    if (level === DATA_LEVEL) this.#files.dataOut.write(index * this.#p.dataBlockSize, bytes);
    else
      this.#files.hashOut.write(
        (this.#layout.levels[level] as TreeLevel).offset + index * this.#p.hashBlockSize,
        bytes,
      );
    const list = this.#listed[level + 1] as number[];
    if (list.length < MAX_LISTED) list.push(index);
    this.#repairedBlocks++;
    this.#changedBytes += changedBytes;
  }

  #isPromised({ level, index }: Target, bytes: Uint8Array): boolean {
    try {
      return this.#tree.isPromised(level, index, this.#digest(bytes));
    } catch (error) {
      // Something above it is damaged too: nothing is known of this block then.
      if (error instanceof VerityError) return false;
      throw error;
    }
  }

  /** Undefined for what is behind the tree: protected, but by no digest. */
  #targetOf(block: number): Target | undefined {
    if (block < this.#p.dataBlocks) return { level: DATA_LEVEL, index: block };
    const size = this.#p.hashBlockSize;
    const offset = this.#layout.start + (block - this.#p.dataBlocks) * size;
    const level = this.#layout.levels.findIndex((l) => offset >= l.offset && offset < l.offset + l.blocks * size);
    if (level < 0) return undefined;
    return { level, index: (offset - (this.#layout.levels[level] as TreeLevel).offset) / size };
  }
}

/** True when the block itself is to blame. The top block is when the root hash does not match. */
function isBad(target: Target | undefined, report: VerityReport): boolean {
  if (target === undefined) return false;
  const { level, index } = target;
  if (level === DATA_LEVEL) return report.corruptData.has(index);
  if (level === report.corruptHash.length - 1) return !report.rootMatches;
  return (report.corruptHash[level] as BlockSet).has(index);
}

/** True when the block and all above it are as the root hash says. With damage that is not listed nobody knows. */
function isKnownGood(target: Target | undefined, report: VerityReport, perBlock: number): boolean {
  if (target === undefined || !report.rootMatches) return false;
  if (report.corruptData.isTruncated || report.corruptHash.some((set) => set.isTruncated)) return false;
  let { level, index } = target;
  for (; level < report.corruptHash.length; level++, index = Math.floor(index / perBlock)) {
    if (isBad({ level, index }, report)) return false;
  }
  return true;
}
