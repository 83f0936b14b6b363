// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../facts.ts';
import type { CedarEngine } from './engine.ts';
import { unmetConditions } from './explain-decision.ts';
import { holdsItsSet } from './kept-sets.ts';
import type { PreparedPolicy } from './prepare-policy.ts';
import type { PolicyDecision, PolicyQuestion, PolicyRequest } from './question.ts';

/**
 * Asks the policies. Total: whatever the engine does, a decision comes back. No permit that holds, an error in any of the
 * policies, a failure of the engine: not permitted.
 */
export function decide(policy: PreparedPolicy, question: PolicyQuestion, facts: Facts): PolicyDecision {
  const { engine, setName } = policy;
  if (!holdsItsSet(policy)) return refused(['expected a policy as it was prepared, found a copy']);
  const request = requestOf(question, facts);
  let answer: ReturnType<CedarEngine['statefulIsAuthorized']>;
  try {
    answer = engine.statefulIsAuthorized({ ...request, preparsedPolicySetId: setName });
  } catch (error) {
    // WebAssembly that traps: nothing is known of what it would have said.
    return refused([`the engine failed: ${error instanceof Error ? error.message : 'no reason given'}`]);
  }
  if (answer.type === 'failure') return refused(answer.errors.map(({ message }) => message));
  const { decision, diagnostics } = answer.response;
  const errors = diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`);
  const isPermitted = decision === 'allow' && errors.length === 0;
  const decidedBy = [...diagnostics.reason].sort();
  const unmet = isPermitted || decidedBy.length > 0 ? [] : unmetConditions(policy, request);
  return { isPermitted, decidedBy, errors, unmet };
}

const refused = (errors: readonly string[]): PolicyDecision => ({
  isPermitted: false,
  decidedBy: [],
  errors,
  unmet: [],
});

function requestOf(question: PolicyQuestion, facts: Facts): PolicyRequest {
  const resource =
    question.action === 'trust' ? { type: 'Service', id: 'vouchsafe' } : { type: 'Secret', id: question.secret };
  return {
    principal: { type: 'Machine', id: question.machine ?? '' },
    action: { type: 'Action', id: question.action },
    resource,
    context: facts as unknown as Record<string, unknown>,
    entities: [],
  };
}
