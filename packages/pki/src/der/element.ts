// SPDX-License-Identifier: Apache-2.0

/** One element. The arrays are views of the input, not copies. */
export interface DerElement {
  /** The identifier octet: class, constructed bit, number up to 30. X.690, 8.1.2. */
  readonly tag: number;
  /** The whole element as it was read; what signatures and fingerprints are made over. */
  readonly bytes: Uint8Array;
  readonly contents: Uint8Array;
  /** Octets from the start of the input to the identifier octet. */
  readonly offset: number;
  /** Names of the fields that lead here, for errors. */
  readonly path: string;
}
