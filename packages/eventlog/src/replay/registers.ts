// SPDX-License-Identifier: Apache-2.0
import { digestWriter, latin1Digester } from '@vouchsafe/crypto';
import { digestAlgorithmOf, type TpmHash, tpmHashSize } from '@vouchsafe/tpm';

/** The register and what it is extended with lie beside each other, so that one call hashes both. */
interface Slot {
  readonly pair: Uint8Array;
  readonly write: (bytes: Uint8Array, at: number) => void;
}

/**
 * Registers of one bank, extended as a TPM does: register := H(register || digest). TPM 2.0 Library, Part 1, section 17.2.
 * Each is known by a key of the caller's: the number of a PCR, the name of an NV index.
 */
export class Registers<Key> {
  readonly bank: TpmHash;
  readonly #size: number;
  readonly #slots = new Map<Key, Slot>();
  readonly #initial: (key: Key) => Uint8Array;
  readonly #digest: (bytes: Uint8Array) => string;

  /** @throws {CryptoError} 'unsupported' when this runtime does not have the hash */
  constructor(bank: TpmHash, initial: (key: Key) => Uint8Array) {
    this.bank = bank;
    this.#size = tpmHashSize(bank);
    this.#initial = initial;
    this.#digest = latin1Digester(digestAlgorithmOf(bank));
  }

  #slot(key: Key): Slot {
    const found = this.#slots.get(key);
    if (found !== undefined) return found;
    const pair = new Uint8Array(2 * this.#size);
    pair.set(this.#initial(key), 0);
    const slot = { pair, write: digestWriter(digestAlgorithmOf(this.bank), pair) };
    this.#slots.set(key, slot);
    return slot;
  }

  /** Extends with a digest; one that is shorter than the bank's is filled up with zeros. */
  extend(key: Key, digest: Uint8Array): void {
    const { pair, write } = this.#slot(key);
    pair.set(digest, this.#size);
    if (digest.length < this.#size) pair.fill(0, this.#size + digest.length);
    write(pair, 0);
  }

  /** Extends with the bank's own hash of the data. */
  extendHashOf(key: Key, data: Uint8Array): void {
    const { pair, write } = this.#slot(key);
    write(data, this.#size);
    write(pair, 0);
  }

  /** Extends with ones, as Linux does for a violation. */
  extendOnes(key: Key): void {
    const { pair, write } = this.#slot(key);
    pair.fill(0xff, this.#size);
    write(pair, 0);
  }

  has(key: Key): boolean {
    return this.#slots.has(key);
  }

  /** The present value; a copy. */
  value(key: Key): Uint8Array {
    const slot = this.#slots.get(key);
    return slot === undefined ? this.#initial(key) : slot.pair.slice(0, this.#size);
  }

  /** Whether the register holds this value, without a copy. */
  holds(key: Key, value: Uint8Array): boolean {
    const pair = this.#slots.get(key)?.pair ?? this.#initial(key);
    for (let i = 0; i < this.#size; i++) if (pair[i] !== value[i]) return false;
    return value.length === this.#size;
  }

  /** Whether the digest is the bank's hash of the data; for many small ones. */
  isHashOf(data: Uint8Array, digest: Uint8Array): boolean {
    const text = this.#digest(data);
    if (text.length !== digest.length) return false;
    for (let i = 0; i < digest.length; i++) if (text.charCodeAt(i) !== digest[i]) return false;
    return true;
  }

  /** All registers that were extended, and their values. */
  values(): Map<Key, Uint8Array> {
    return new Map([...this.#slots].map(([key, { pair }]) => [key, pair.slice(0, this.#size)]));
  }
}
