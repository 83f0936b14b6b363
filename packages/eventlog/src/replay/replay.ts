// SPDX-License-Identifier: Apache-2.0
import type { TpmBank, TpmHash } from '@vouchsafe/tpm';
import type { LogFinding } from '../finding.ts';
import { initialPcr } from './initial.ts';

/** One bank of a replay. */
export interface ReplayedBank {
  readonly bank: TpmHash;
  /** The PCRs that the logs extend, and their values at the end. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /**
   * PCRs that some event extends, and of which the logs do not say with what in this bank: nothing is known of them. They
   * are not among `pcrs`.
   */
  readonly unknown: ReadonlySet<number>;
  /** NV indices that are extended like PCRs, by name or handle. */
  readonly nvPcrs: ReadonlyMap<string, Uint8Array>;
}

/** What the PCRs must be if the logs are true. It says nothing about whether that is good. */
export interface Replay {
  /** Banks that were replayed; one that is incomplete or cannot be computed here is left out, with a finding. */
  readonly banks: ReadonlyMap<TpmBank, ReplayedBank>;
  /** What PCR 0 started from: the locality of TPM2_Startup, 4 after an H-CRTM, else 0. */
  readonly startupLocality: number;
  /** Whether a dynamic launch reset PCR 17 to 22, as one of the logs says. */
  readonly hasLaunched: boolean;
  readonly findings: readonly LogFinding[];
}

/**
 * A PCR by the replay, whether the logs extend it or not; for messages and comparisons. A PCR of which nothing is known
 * gives no octets at all, which equal no value.
 */
export function replayedPcr(replay: Replay, { bank, pcrs, unknown }: ReplayedBank, pcr: number): Uint8Array {
  if (unknown.has(pcr)) return new Uint8Array();
  return pcrs.get(pcr) ?? initialPcr(bank, pcr, replay.startupLocality, replay.hasLaunched);
}
