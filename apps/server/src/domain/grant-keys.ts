// SPDX-License-Identifier: Apache-2.0
import type { Authority, Signer } from '@vouchsafe/pki';
import type { KeyRing } from './secrets/key-ring.ts';

/** The service's keys. */
export interface GrantKeys {
  readonly ring: KeyRing;
  /** Issues client certificates. */
  readonly client: Authority;
  /** Issues certificates of attestation keys. */
  readonly attestation: Authority;
  /** Signs attestation results: P-256. */
  readonly results: Signer;
  /** Signs heads of the audit log: Ed25519. */
  readonly audit: Signer;
}
