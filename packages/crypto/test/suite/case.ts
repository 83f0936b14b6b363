// SPDX-License-Identifier: Apache-2.0
import type { SignatureVectors } from './vectors.ts';

export type Entry = typeof import('@vouchsafe/crypto');

export interface Check {
  /** Strictly equal, of primitives. */
  same(actual: unknown, expected: unknown, what?: string): void;
  /** Throws a CryptoError of the entry with this code. */
  throwsCode(code: string, run: () => unknown, what?: string): void;
}

export interface Case {
  readonly name: string;
  readonly run: (check: Check) => void;
}

export interface Subject {
  readonly entry: Entry;
  readonly vectors: SignatureVectors;
}
