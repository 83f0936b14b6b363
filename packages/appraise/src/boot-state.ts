// SPDX-License-Identifier: Apache-2.0
import type { TpmsClockInfo } from '@vouchsafe/tpm';
import type { Facts } from './facts.ts';
import type { AppraisalFinding } from './finding.ts';
import type { UsedReference } from './references/reference-set.ts';

/** How far IMA's list has been appraised. */
export interface ImaState {
  /** Octets of the list that are evidence: the next part begins there. */
  readonly offset: number;
  /** PCR 10 at that place, lower-case hexadecimal. */
  readonly value: string;
  /** What was found so far; counts of all entries since the boot. */
  readonly facts: Facts['runtime'];
  /** Names of verity devices that have been set up. */
  readonly verityNames: readonly string[];
  /** What was found so far, as much as is kept: later verdicts say it again. */
  readonly findings: readonly AppraisalFinding[];
  /** References that the entries were compared with. */
  readonly references: string;
}

/** What a boot came to before its runtime: it holds as long as boot, PCRs and references stay the same. */
export interface SettledBoot {
  /** Digest of all that it rests on beside the evidence: references, pin, model. */
  readonly basis: string;
  /** Until when, as an image may retire; milliseconds since 1970. */
  readonly untilMs?: number;
  readonly facts: Pick<Facts, 'log' | 'image' | 'firmware' | 'secureBoot' | 'system' | 'launch'>;
  readonly findings: readonly AppraisalFinding[];
  readonly used: readonly UsedReference[];
  readonly image?: BootedImage;
}

export interface BootedImage {
  readonly name: string;
  readonly version: string;
  /** Of the manifest. */
  readonly sha256: string;
}

/**
 * What must be kept of one machine from one attestation to the next. Plain data that JSON carries. A verdict gives it;
 * whoever keeps it gives it back unchanged.
 */
export interface BootState {
  readonly form: 1;
  readonly clock: { readonly clock: string } & Omit<TpmsClockInfo, 'clock'>;
  /** Of the quote: the vendor's number of the TPM's firmware, hexadecimal. */
  readonly tpmFirmware: string;
  /** When the last good quote was appraised; milliseconds since 1970. */
  readonly atMs: number;
  /** The boot log. */
  readonly firmwareSha256: string;
  readonly userspaceSha256: string;
  readonly launchSha256: string;
  readonly bank: string;
  /** SHA-256 over the quoted values but PCR 10's. */
  readonly pcrs: string;
  readonly settled?: SettledBoot;
  readonly ima?: ImaState;
  /** Set once this boot was refused for what it is; gone with the next boot, or when an operator clears it. */
  readonly failure?: { readonly atMs: number; readonly codes: readonly string[] };
}

/** What an operator does who has looked at a machine and clears its failure. */
export function clearFailure(state: BootState): BootState {
  const { failure: _, ...rest } = state;
  return rest;
}
