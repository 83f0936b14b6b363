// SPDX-License-Identifier: Apache-2.0
import type { BootedImage, BootState } from './boot-state.ts';
import type { EarClaims } from './ear/claims.ts';
import type { EventReason } from './explain/event-reason.ts';
import type { Facts } from './facts.ts';
import type { AppraisalFinding } from './finding.ts';
import type { PolicyDecision } from './policy/question.ts';
import type { UsedReference } from './references/reference-set.ts';
import type { VerdictStatus } from './status.ts';

/** One event of the boot, or one that should be there, and what became of it. Plain data. */
export interface AppraisedEvent {
  readonly pcr: number;
  /** Where it stands; absent for one that is missing. */
  readonly log?: 'firmware' | 'userspace';
  /** Place in that log, from 0. */
  readonly event?: number;
  /** 'machine': it is the firmware's, and there is no baseline of it. */
  readonly judgement: 'expected' | 'machine' | 'unexpected' | 'missing';
  /** Of the prediction. */
  readonly description?: string;
  /** Of what is unexpected or missing: the nearest explanation. */
  readonly reason?: EventReason;
}

/** The outcome of an appraisal. */
export interface Verdict {
  readonly status: VerdictStatus;
  /** True when the policy permits trust and nothing is wrong. */
  readonly isTrusted: boolean;
  /** The quote holds: what follows is of this machine. When false, anybody may have sent the evidence. */
  readonly isAuthentic: boolean;
  /** This boot must be appraised whole, and the boot log was not at hand: appraise again, with its bytes. */
  readonly needsFirmwareLog: boolean;
  readonly atMs: number;
  /** The gravest first where there are more than are listed. */
  readonly findings: readonly AppraisalFinding[];
  readonly facts: Facts;
  /** The image that was booted, when it is known. */
  readonly image?: BootedImage;
  /** By PCR, each in the order of the logs. Empty when the logs could not be believed, or when the boot was settled before. */
  readonly events: readonly AppraisedEvent[];
  /** What was compared with. */
  readonly references: readonly UsedReference[];
  readonly policy: UsedReference;
  readonly decision: PolicyDecision;
  /** To be kept, and given back as `previous`. As it was, where the evidence is not authentic. */
  readonly state: BootState | undefined;
  /** The attestation result, to be signed. */
  readonly ear: EarClaims;
}
