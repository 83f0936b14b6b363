// SPDX-License-Identifier: Apache-2.0

/**
 * What `npm run fuzz` runs: a file packages/x/fuzz/*.ts exports one as `target`. Each execution gets a mutated seed;
 * anything thrown but a VouchsafeError, and any run longer than 2 s, is a failure. A target may also check what it got
 * (encode again, compare) and throw a plain Error.
 */
export interface FuzzTarget {
  /** As given to `npm run fuzz -- NAME`. */
  readonly name: string;
  /** Valid inputs, small ones first; called once. */
  seeds(): readonly Uint8Array[];
  /** Must not keep `bytes`. */
  run(bytes: Uint8Array): void;
}
