// SPDX-License-Identifier: Apache-2.0
import { digestWriter } from '@vouchsafe/crypto';
import type { VerityParameters } from './parameters.ts';

type Salted = Pick<VerityParameters, 'algorithm' | 'hashType' | 'salt'>;

/**
 * Room for some blocks of one size, each with the salt where the hash type wants it, so that a block that is read into
 * its place is ready to be hashed without a copy. Views are made once, as making one costs as much as a short digest.
 */
export class SaltedBlocks {
  /** Where the content of each block goes. */
  readonly contents: readonly Uint8Array[];
  readonly #inputs: readonly Uint8Array[];
  readonly #write: (input: Uint8Array, at: number) => void;

  /** @param target where digests go. */
  constructor({ algorithm, hashType, salt }: Salted, blockSize: number, count: number, target: Uint8Array) {
    const slotSize = salt.length + blockSize;
    const slots = new Uint8Array(slotSize * count);
    const contentAt = hashType === 1 ? salt.length : 0;
    const saltAt = hashType === 1 ? 0 : blockSize;
    const contents: Uint8Array[] = [];
    const inputs: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const slot = slots.subarray(i * slotSize, (i + 1) * slotSize);
      slot.set(salt, saltAt);
      inputs.push(slot);
      contents.push(slot.subarray(contentAt, contentAt + blockSize));
    }
    this.contents = contents;
    this.#inputs = inputs;
    this.#write = digestWriter(algorithm, target);
  }

  /** Digests the salted block in slot `i` into the target. */
  digestTo(i: number, at: number): void {
    this.#write(this.#inputs[i] as Uint8Array, at);
  }
}

/** A function for blocks that come one by one; it copies each next to the salt. The result is used up by the next call. */
export function saltedDigester(p: Salted, blockSize: number, digestBytes: number): (block: Uint8Array) => Uint8Array {
  const digest = new Uint8Array(digestBytes);
  const slot = new SaltedBlocks(p, blockSize, 1, digest);
  const content = slot.contents[0] as Uint8Array;
  return (block) => {
    content.set(block);
    slot.digestTo(0, 0);
    return digest;
  };
}
