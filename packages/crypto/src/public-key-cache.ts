// SPDX-License-Identifier: Apache-2.0
import { requireSpkiSize } from './spki.ts';
import type { PublicKey } from './types.ts';

/**
 * Imported keys, the latest `maxEntries` that were asked for. A hit costs one SHA-256 of the key's bytes.
 * What cannot be imported is not remembered: refusing it again is cheap, and it would drive good keys out.
 */
export class BoundedKeyCache {
  readonly #maxEntries: number;
  readonly #importKey: (spki: Uint8Array) => PublicKey;
  readonly #fingerprint: (spki: Uint8Array) => string;
  /**
   * By digest of the exact bytes. A Map keeps the order of insertion, and a hit inserts anew: the first is the oldest.
   */
  readonly #keys = new Map<string, PublicKey>();

  constructor(
    maxEntries: number,
    importKey: (spki: Uint8Array) => PublicKey,
    fingerprint: (spki: Uint8Array) => string,
  ) {
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new RangeError(`maxEntries must be a whole number of 1 or more, got ${maxEntries}`);
    }
    this.#maxEntries = maxEntries;
    this.#importKey = importKey;
    this.#fingerprint = fingerprint;
  }

  /** How many keys are held now. */
  get size(): number {
    return this.#keys.size;
  }

  /**
   * The key of these bytes, imported now or before.
   * @throws {CryptoError} as `importPublicKey` does
   */
  import(spki: Uint8Array): PublicKey {
    requireSpkiSize(spki);
    const fingerprint = this.#fingerprint(spki);
    const known = this.#keys.get(fingerprint);
    const key = known ?? this.#importKey(spki);
    if (known !== undefined) this.#keys.delete(fingerprint);
    else if (this.#keys.size >= this.#maxEntries) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(fingerprint, key);
    return key;
  }
}
