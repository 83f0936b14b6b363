// SPDX-License-Identifier: Apache-2.0
import type { TpmBank } from '@vouchsafe/tpm';

/** What one bank was extended with. */
export interface EventDigest {
  readonly bank: TpmBank;
  /** A view of the log. */
  readonly digest: Uint8Array;
}

/**
 * One entry of a boot log, whatever wrote it. Only the digests are bound to a PCR, and only once a replay has matched a
 * quote. The type is never measured, and the data only where a digest covers it: see `coverageOf`.
 */
export interface BootEvent {
  readonly source: 'tcg' | 'ima';
  /** Place in its log, from 0, the header of a TCG log included. */
  readonly index: number;
  /** Octets from the start of the log. */
  readonly offset: number;
  /** As the log says; untrusted, and perhaps outside what a TPM has. */
  readonly pcr: number;
  /** Untrusted: the specification's name of the type, or its number where it has none; of IMA, the template's name. */
  readonly type: string | number;
  readonly digests: readonly EventDigest[];
  /** A view of the log. Untrusted. */
  readonly data: Uint8Array;
}

/** The digest of one bank, if the event has it. */
export function digestOf({ digests }: BootEvent, bank: TpmBank): Uint8Array | undefined {
  for (const entry of digests) if (entry.bank === bank) return entry.digest;
  return undefined;
}
