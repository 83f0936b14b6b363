// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, requireRange } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import { requireDataSize } from './format.ts';
import { treeLayout } from './layout.ts';
import { SaltedBlocks } from './salted.ts';
import { DATA_LEVEL, rootMismatch, VerifiedTree } from './verified-tree.ts';
import { requireRootHashSize, requireTreeSize, type VerifyRequest } from './verify.ts';

/** Octets of checked hash blocks that are kept unless the caller says otherwise: the leaves over 2 GiB of data. */
const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024;
const MAX_CACHE_BYTES = 1024 * 1024 * 1024;

export interface OpenVerityOptions {
  /** Octets of checked hash blocks to keep, 0 to 1 GiB; two blocks are kept in any case. */
  readonly cacheBytes?: number;
}

/**
 * The data behind a root hash, each block checked up the tree before a byte of it is returned. This is what lets an
 * untrusted image be read on demand instead of being hashed whole.
 */
export class VerifiedData implements ByteSource {
  /** Octets: the data blocks that the tree covers. */
  readonly size: number;
  readonly label: string;
  readonly #data: ByteSource;
  readonly #dataBlockSize: number;
  readonly #tree: VerifiedTree;
  readonly #hasTree: boolean;
  /** One data block beside the salt, and its digest. */
  readonly #slot: SaltedBlocks;
  readonly #digest: Uint8Array;
  /** The data block that is in the slot, checked; -1 when none is. */
  #loaded = -1;

  /** Only `openVerity` makes one. */
  constructor(request: VerifyRequest, options: OpenVerityOptions) {
    const { data, hash, parameters, place, rootHash } = request;
    const layout = treeLayout(parameters, place);
    requireRootHashSize(rootHash, parameters, layout);
    requireDataSize(data, parameters);
    requireTreeSize(hash, layout);
    this.size = parameters.dataBlocks * parameters.dataBlockSize;
    this.label = data.label;
    this.#data = data;
    this.#dataBlockSize = parameters.dataBlockSize;
    this.#digest = new Uint8Array(layout.cells.digestBytes);
    this.#slot = new SaltedBlocks(parameters, parameters.dataBlockSize, 1, this.#digest);
    this.#tree = new VerifiedTree(hash, parameters, layout, rootHash, cacheBytesOf(options));
    this.#hasTree = layout.levels.length > 0;
    // Now, so that a wrong root hash shows when the image is opened and not at some later read.
    if (this.#hasTree) this.#tree.checkTop();
    else this.#load(0);
  }

  /**
   * Fills all of `target` from `offset`; any offset and length inside the data.
   * @throws {VerityError} 'block_corrupt' naming the block; the target then holds nothing of that block.
   */
  read(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    const content = this.#slot.contents[0] as Uint8Array;
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const block = Math.floor(at / this.#dataBlockSize);
      this.#load(block);
      const from = at - block * this.#dataBlockSize;
      const n = Math.min(this.#dataBlockSize - from, target.length - done);
      target.set(n === this.#dataBlockSize ? content : content.subarray(from, from + n), done);
      done += n;
    }
  }

  /** Brings a data block into the slot and checks it there, so that what is checked is what is returned. */
  #load(block: number): void {
    if (block === this.#loaded) return;
    this.#loaded = -1;
    this.#data.read(block * this.#dataBlockSize, this.#slot.contents[0] as Uint8Array);
    this.#slot.digestTo(0, 0);
    if (!this.#tree.isPromised(DATA_LEVEL, block, this.#digest)) {
      if (!this.#hasTree) throw rootMismatch(this.label);
      throw new VerityError(
        'block_corrupt',
        `${this.label}: data block ${block} does not have the digest that its hash block holds; \`verity verify\` lists all the damage`,
      );
    }
    this.#loaded = block;
  }
}

function cacheBytesOf({ cacheBytes = DEFAULT_CACHE_BYTES }: OpenVerityOptions): number {
  if (!(cacheBytes >= 0 && cacheBytes <= MAX_CACHE_BYTES)) {
    throw new VerityError('options_invalid', `the cache is ${cacheBytes} octets, it can be 0 to ${MAX_CACHE_BYTES}`);
  }
  return cacheBytes;
}

/**
 * Opens data for verified reading.
 * @throws {VerityError} 'root_mismatch' when the tree is not the root hash's; 'options_invalid', 'data_size', 'tree_short'.
 */
export function openVerity(request: VerifyRequest, options: OpenVerityOptions = {}): VerifiedData {
  return new VerifiedData(request, options);
}
