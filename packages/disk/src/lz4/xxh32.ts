// SPDX-License-Identifier: Apache-2.0

const PRIME1 = 0x9e3779b1;
const PRIME2 = 0x85ebca77;
const PRIME3 = 0xc2b2ae3d;
const PRIME4 = 0x27d4eb2f;
const PRIME5 = 0x165667b1;
const STRIPE_BYTES = 16;

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));
const round = (lane: number, input: number): number =>
  Math.imul(rotate((lane + Math.imul(input, PRIME2)) | 0, 13), PRIME1);

/** XXH32 with seed 0, the checksum of LZ4 frames. xxHash fast digest algorithm 0.1.1, "XXH32 Algorithm Description". */
export class Xxh32 {
  #lanes: [number, number, number, number] = [(PRIME1 + PRIME2) | 0, PRIME2 | 0, 0, -PRIME1 | 0];
  readonly #held = new Uint8Array(STRIPE_BYTES);
  #heldBytes = 0;
  #total = 0;

  update(bytes: Uint8Array): this {
    this.#total += bytes.length;
    let at = 0;
    if (this.#heldBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#heldBytes, bytes.length);
      this.#held.set(bytes.subarray(0, at), this.#heldBytes);
      this.#heldBytes += at;
      if (this.#heldBytes < STRIPE_BYTES) return this;
      this.#stripes(new DataView(this.#held.buffer), 0, STRIPE_BYTES);
      this.#heldBytes = 0;
    }
    const end = at + Math.floor((bytes.length - at) / STRIPE_BYTES) * STRIPE_BYTES;
    this.#stripes(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at, end);
    this.#held.set(bytes.subarray(end));
    this.#heldBytes = bytes.length - end;
    return this;
  }

  /** 32 bits without a sign. */
  digest(): number {
    const [a, b, c, d] = this.#lanes;
    let hash = this.#total >= STRIPE_BYTES ? (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0 : PRIME5;
    hash = (hash + (this.#total >>> 0)) | 0;
    const rest = new DataView(this.#held.buffer, 0, this.#heldBytes);
    let at = 0;
    for (; at + 4 <= this.#heldBytes; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(rest.getUint32(at, true), PRIME3)) | 0, 17), PRIME4);
    }
    for (; at < this.#heldBytes; at++)
      hash = Math.imul(rotate((hash + Math.imul(rest.getUint8(at), PRIME5)) | 0, 11), PRIME1);
    hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(view: DataView, from: number, to: number): void {
    let [a, b, c, d] = this.#lanes;
    for (let at = from; at < to; at += STRIPE_BYTES) {
      a = round(a, view.getUint32(at, true));
      b = round(b, view.getUint32(at + 4, true));
      c = round(c, view.getUint32(at + 8, true));
      d = round(d, view.getUint32(at + 12, true));
    }
    this.#lanes = [a, b, c, d];
  }
}
