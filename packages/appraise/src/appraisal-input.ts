// SPDX-License-Identifier: Apache-2.0
import type { QuoteExpectation } from '@vouchsafe/tpm';
import type { BootState } from './boot-state.ts';
import type { EarOptions } from './ear/claims.ts';
import type { Evidence } from './evidence.ts';
import type { IdentityFacts } from './facts.ts';
import type { PinnedSystem } from './layers/system.ts';
import type { PreparedPolicy } from './policy/prepare-policy.ts';
import type { DecisionCache } from './policy/question.ts';
import type { PreparedReferences } from './references/reference-set.ts';

/** All that a verdict depends on. */
export interface AppraisalInput {
  readonly evidence: Evidence;
  readonly expected: QuoteExpectation;
  /** What the last verdict of this machine left. */
  readonly previous?: BootState | undefined;
  readonly identity: IdentityFacts;
  /** How policies know the machine: `Machine::"…"`. */
  readonly machine?: string;
  /** PCR 15 of this machine, if an operator has vouched for it. */
  readonly pinnedSystem?: PinnedSystem;
  readonly references: PreparedReferences;
  readonly policy: PreparedPolicy;
  /** Milliseconds since 1970, UTC. */
  readonly nowMs: number;
  readonly ear?: Partial<EarOptions>;
  /** Of the caller, bounded by it: decisions by facts and policy. */
  readonly decisions?: DecisionCache;
}
