// SPDX-License-Identifier: Apache-2.0
import type { CedarEngine } from './engine.ts';

/** What is asked of a policy. */
export type PolicyQuestion =
  /** Is this boot to be trusted? */
  | { readonly action: 'trust'; readonly machine?: string }
  /** May the machine, once it is trusted, have this secret? */
  | { readonly action: 'release'; readonly machine?: string; readonly secret: string };

/** What the policies say, and which of them. */
export interface PolicyDecision {
  readonly isPermitted: boolean;
  /** Policies that decided: those that permit, or those that forbid. */
  readonly decidedBy: readonly string[];
  /** Policies that could not be evaluated; none is passed over, so that nothing is permitted then. */
  readonly errors: readonly string[];
  /** Where nothing permits: for each policy that would, the conditions that do not hold. */
  readonly unmet: readonly UnmetCondition[];
}

export interface UnmetCondition {
  readonly policy: string;
  /** In Cedar. */
  readonly condition: string;
}

/** Decisions by facts and policy, kept by the caller: a Map with a bound. */
export interface DecisionCache {
  get(key: string): PolicyDecision | undefined;
  set(key: string, decision: PolicyDecision): void;
}

/** A request as Cedar takes it. */
export type PolicyRequest = Omit<Parameters<CedarEngine['statefulIsAuthorized']>[0], 'preparsedPolicySetId'>;
