// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readScattered, requireRange } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import { requireDataSize } from './format.ts';
import { treeLayout } from './layout.ts';
import { SaltedBlocks } from './salted.ts';
import { DATA_LEVEL, rootMismatch, VerifiedTree } from './verified-tree.ts';
import { requireRootHashSize, requireTreeSize, type VerifyRequest } from './verify.ts';

/** Octets of checked hash blocks that are kept unless the caller says otherwise: the leaves over 2 GiB of data. */
const DEFAULT_CACHE_BYTES = 16 * 1024 * 1024;
const MAX_CACHE_BYTES = 1024 * 1024 * 1024;
/** Octets that are read and checked at a time where more than one block is asked for. */
const RUN_BYTES = 128 * 1024;

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
  /** A run of data blocks beside the salt, and their digests end to end. */
  readonly #slots: SaltedBlocks;
  readonly #digests: Uint8Array;
  readonly #digestBytes: number;
  /** The data blocks that are in the slots, checked. */
  #loadedFirst = 0;
  #loadedEnd = 0;

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
    const slots = Math.max(1, Math.min(parameters.dataBlocks, Math.floor(RUN_BYTES / parameters.dataBlockSize)));
    this.#digestBytes = layout.cells.digestBytes;
    this.#digests = new Uint8Array(slots * this.#digestBytes);
    this.#slots = new SaltedBlocks(parameters, parameters.dataBlockSize, slots, this.#digests);
    this.#tree = new VerifiedTree(hash, parameters, layout, rootHash, cacheBytesOf(options));
    this.#hasTree = layout.levels.length > 0;
    // Now, so that a wrong root hash shows when the image is opened and not at some later read.
    if (this.#hasTree) this.#tree.checkTop();
    else this.#load(0, 1);
  }

  /**
   * Fills all of `target` from `offset`; any offset and length inside the data.
   * @throws {VerityError} 'block_corrupt' naming the block; the target then holds nothing of that block.
   */
  read(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    const size = this.#dataBlockSize;
    const end = offset + target.length;
    const { contents } = this.#slots;
    for (let at = offset; at < end; ) {
      const block = Math.floor(at / size);
      if (block < this.#loadedFirst || block >= this.#loadedEnd) {
        this.#load(block, Math.min(contents.length, Math.ceil(end / size) - block));
      }
      const content = contents[block - this.#loadedFirst] as Uint8Array;
      const from = at - block * size;
      const n = Math.min(size - from, end - at);
      target.set(n === size ? content : content.subarray(from, from + n), at - offset);
      at += n;
    }
  }

  /** Brings data blocks into the slots and checks them there, so that what is checked is what is returned. */
  #load(first: number, count: number): void {
    this.#loadedEnd = 0;
    const { contents } = this.#slots;
    if (count === 1) this.#data.read(first * this.#dataBlockSize, contents[0] as Uint8Array);
    else readScattered(this.#data, first * this.#dataBlockSize, contents.slice(0, count));
    for (let i = 0; i < count; i++) {
      const at = i * this.#digestBytes;
      this.#slots.digestTo(i, at);
      if (!this.#tree.isPromised(DATA_LEVEL, first + i, this.#digests, at)) throw this.#corrupt(first + i);
    }
    this.#loadedFirst = first;
    this.#loadedEnd = first + count;
  }

  #corrupt(block: number): VerityError {
    if (!this.#hasTree) return rootMismatch(this.label);
    return new VerityError(
      'block_corrupt',
      `${this.label}: data block ${block} does not have the digest that its hash block holds; \`verity verify\` lists all the damage`,
    );
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
