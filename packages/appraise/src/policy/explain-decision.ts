// SPDX-License-Identifier: Apache-2.0
import type { CedarEngine, CedarPolicyJson } from './engine.ts';
import type { PreparedPolicy } from './prepare-policy.ts';
import type { PolicyRequest, UnmetCondition } from './question.ts';

/** Conditions that are looked at; a policy has some ten. */
const MAX_CONDITIONS = 128;

/**
 * Of each policy that permits, the parts of its conditions that do not hold: each operand of its && is asked about alone.
 * It only explains; what it says decides nothing.
 */
export function unmetConditions({ engine, policies }: PreparedPolicy, request: PolicyRequest): UnmetCondition[] {
  const unmet: UnmetCondition[] = [];
  let asked = 0;
  for (const [policy, json] of policies) {
    if (json.effect !== 'permit') continue;
    for (const { kind, body } of json.conditions) {
      for (const part of kind === 'when' ? operandsOf(body) : [body]) {
        if (++asked > MAX_CONDITIONS) return unmet;
        const alone: CedarPolicyJson = { ...json, conditions: [{ kind, body: part }], annotations: {} };
        if (isMet(engine, alone, request)) continue;
        unmet.push({ policy, condition: `${kind === 'when' ? '' : 'unless '}${textOf(engine, alone)}` });
      }
    }
  }
  return unmet;
}

/** What && joins, however deep. */
function operandsOf(body: unknown): unknown[] {
  const and = (body as { readonly '&&'?: { readonly left: unknown; readonly right: unknown } } | null)?.['&&'];
  return and === undefined ? [body] : [...operandsOf(and.left), ...operandsOf(and.right)];
}

function isMet(engine: CedarEngine, policy: CedarPolicyJson, request: PolicyRequest): boolean {
  try {
    const answer = engine.isAuthorized({ ...request, policies: { staticPolicies: { part: policy } } });
    return answer.type === 'success' && answer.response.decision === 'allow';
  } catch {
    return false;
  }
}

/** The condition as Cedar writes it, without what is around it. */
function textOf(engine: CedarEngine, policy: CedarPolicyJson): string {
  try {
    const answer = engine.policyToText(policy);
    const text = answer.type === 'success' ? answer.text : '';
    return /(?:when|unless)\s*\{([\s\S]*)\}\s*;?\s*$/.exec(text)?.[1]?.replace(/\s+/g, ' ').trim() ?? 'a condition';
  } catch {
    return 'a condition';
  }
}
