// SPDX-License-Identifier: Apache-2.0
import type { SignatureScheme } from '@vouchsafe/crypto';

/** testdata/signatures.json; see PROVENANCE.md beside it. Byte strings are hexadecimal. */
export interface SignatureVectors {
  /** SubjectPublicKeyInfo by name. */
  readonly keys: Readonly<Record<string, string>>;
  readonly vectors: readonly SignatureVector[];
}

export interface SignatureVector {
  readonly name: string;
  readonly key: string;
  readonly scheme: SignatureScheme;
  readonly message: string;
  readonly signature: string;
  readonly isGood: boolean;
}
