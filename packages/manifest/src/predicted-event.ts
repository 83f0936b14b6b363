// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm } from '@vouchsafe/crypto';

/** Banks that PCRs are predicted in; the TPM decides which it has. */
export type Bank = Extract<DigestAlgorithm, 'sha1' | 'sha256' | 'sha384' | 'sha512'>;

/** In the order in which systemd's tools write them. */
export const BANKS: readonly Bank[] = ['sha1', 'sha256', 'sha384', 'sha512'];

/** Where an event comes from: what a person can look at or change. */
export interface EventOrigin {
  /** The file or table: 'UKI', 'variable db'. */
  readonly artefact: string;
  /** Of a PE file. */
  readonly section?: string;
  /** Octets from the start of the artefact, where the event is of one place in it. */
  readonly offset?: number;
}

/** One extend that will happen. */
export interface PredictedEvent {
  readonly pcr: number;
  /** What it is, in words. */
  readonly description: string;
  readonly origin: EventOrigin;
  readonly digests: ReadonlyMap<Bank, Uint8Array>;
}
