// SPDX-License-Identifier: Apache-2.0
import type { CertificateRow } from './rows/certificates.ts';
import type { Rows } from './rows.ts';

/** What is written in the same transaction as the record, if that is. */
export interface AttestationEffects {
  readonly certificates: readonly Omit<CertificateRow, 'der'>[];
  readonly audit: readonly { readonly id: string; readonly leaf: string }[];
  /** What is rare. */
  also?(tx: Rows): Promise<void>;
}
