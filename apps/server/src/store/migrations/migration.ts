// SPDX-License-Identifier: Apache-2.0
import type { Kysely } from 'kysely';

/** A step forward; there is none back. Once landed it is never changed. */
export interface Migration {
  /** Four digits and a name; they are applied in this order. */
  readonly id: string;
  /** The words in which the two databases differ come in `words`. */
  up(db: Kysely<unknown>, words: DialectWords): Promise<void>;
}

export interface DialectWords {
  readonly bytes: 'blob' | 'bytea';
  /** 64-bit whole numbers. */
  readonly long: 'integer' | 'bigint';
}
