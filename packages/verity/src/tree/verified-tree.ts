// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import type { TreeLayout, TreeLevel } from './layout.ts';
import type { VerityParameters } from './parameters.ts';
import { RecentBlocks } from './recent-blocks.ts';
import { SaltedBlocks } from './salted.ts';

/** The level of the data, below the tree's level 0. */
export const DATA_LEVEL = -1;

/** Says which digest a root hash promises for a block: each hash block is checked up to the root before it is believed. */
export class VerifiedTree {
  readonly #hash: ByteSource;
  readonly #layout: TreeLayout;
  readonly #hashBlockSize: number;
  readonly #rootHash: Uint8Array;
  /** One hash block beside the salt, and its digest. */
  readonly #slot: SaltedBlocks;
  readonly #digest: Uint8Array;
  /** Checked hash blocks of all levels, by their offset. */
  readonly #recent: RecentBlocks;

  /** @param cacheBytes of checked hash blocks to keep; two blocks are kept at least. */
  constructor(hash: ByteSource, p: VerityParameters, layout: TreeLayout, rootHash: Uint8Array, cacheBytes: number) {
    this.#hash = hash;
    this.#layout = layout;
    this.#hashBlockSize = p.hashBlockSize;
    this.#rootHash = rootHash.slice();
    this.#digest = new Uint8Array(layout.cells.digestBytes);
    this.#slot = new SaltedBlocks(p, p.hashBlockSize, 1, this.#digest);
    this.#recent = new RecentBlocks(Math.floor(cacheBytes / p.hashBlockSize));
  }

  /**
   * True when the block at that place should have the digest that stands at `digestAt` of `digests`.
   * @throws {VerityError} 'root_mismatch', 'block_corrupt' when a hash block above it is not the right one.
   */
  isPromised(level: number, index: number, digests: Uint8Array, digestAt = 0): boolean {
    const above = this.#above(level, index);
    return holds(above, this.#cellOffset(level, index), digests, digestAt, this.#digest.length);
  }

  /** @throws {VerityError} 'root_mismatch' when the top block does not have the root hash. */
  checkTop(): void {
    const top = this.#layout.levels.length - 1;
    if (top >= 0) this.#block(top, 0);
  }

  /** What holds the digest of that block: the hash block above it, or the root hash itself. */
  #above(level: number, index: number): Uint8Array {
    if (this.#isTop(level)) return this.#rootHash;
    return this.#block(level + 1, Math.floor(index / this.#layout.cells.perBlock));
  }

  #cellOffset(level: number, index: number): number {
    const { perBlock, strideBytes } = this.#layout.cells;
    return this.#isTop(level) ? 0 : (index % perBlock) * strideBytes;
  }

  #isTop(level: number): boolean {
    return level + 1 === this.#layout.levels.length;
  }

  /** A hash block that is checked up to the root. */
  #block(level: number, index: number): Uint8Array {
    const offset = (this.#layout.levels[level] as TreeLevel).offset + index * this.#hashBlockSize;
    const known = this.#recent.get(offset);
    if (known !== undefined) return known;

    // The one above first, as it uses the same slot.
    const above = this.#above(level, index);
    const content = this.#slot.contents[0] as Uint8Array;
    this.#hash.read(offset, content);
    this.#slot.digestTo(0, 0);
    if (!holds(above, this.#cellOffset(level, index), this.#digest, 0, this.#digest.length)) {
      if (this.#isTop(level)) throw rootMismatch(this.#hash.label);
      throw new VerityError(
        'block_corrupt',
        `${this.#hash.label}: hash block ${index} of level ${level} does not have the digest that the block above it holds; \`verity verify\` lists all the damage`,
      );
    }
    const checked = content.slice();
    this.#recent.put(offset, checked);
    return checked;
  }
}

/** True when both hold the same octets at their offsets. */
function holds(block: Uint8Array, at: number, digests: Uint8Array, digestAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (digests[digestAt + i] !== block[at + i]) return false;
  return true;
}

export function rootMismatch(label: string): VerityError {
  return new VerityError(
    'root_mismatch',
    `${label}: it does not have this root hash; is the root hash that of this image and version?`,
  );
}
