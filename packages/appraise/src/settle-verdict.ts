// SPDX-License-Identifier: Apache-2.0
import type { AppraisalInput } from './appraisal-input.ts';
import { type EarOptions, earClaimsOf } from './ear/claims.ts';
import { statusWithin, trustVectorOf } from './ear/trust-vector.ts';
import type { Facts } from './facts.ts';
import { type AppraisalFinding, boundedFindings } from './finding.ts';
import { decide } from './policy/decide.ts';
import type { PolicyDecision } from './policy/question.ts';
import { sha256OfText } from './references/prepare.ts';
import type { UsedReference } from './references/reference-set.ts';
import type { VerdictStatus } from './status.ts';
import type { Verdict } from './verdict.ts';

/** What the layers have found. */
export interface Findings extends Pick<Verdict, 'isAuthentic' | 'facts' | 'findings' | 'events' | 'state' | 'image'> {
  readonly used: readonly UsedReference[];
}

const EAR_DEFAULTS: EarOptions = {
  verifier: { developer: 'vouchsafe', build: 'vouchsafe 0.1.0' },
  lifetimeMs: 30 * 60 * 1000,
};

/** The one place where a status is given: it follows from all findings, listed or not, and from what the policy says. */
export function settleVerdict(input: AppraisalInput, found: Findings): Verdict {
  const { policy, nowMs } = input;
  const count = (severity: AppraisalFinding['severity']): number =>
    found.findings.filter((finding) => finding.severity === severity).length;
  const facts: Facts = {
    ...found.facts,
    findings: {
      errors: count('error'),
      warnings: count('warning'),
      codes: [...new Set(found.findings.map(({ code }) => code))].sort(),
    },
  };
  const decision = decideOnce(input, facts);
  const findings = boundedFindings([...found.findings, ...decisionFindings(decision, policy.name)]);
  const isRefused = facts.findings.errors > 0 || !decision.isPermitted;
  const wanted: VerdictStatus = isRefused ? 'contraindicated' : facts.findings.warnings > 0 ? 'warning' : 'affirming';
  const status = worse(wanted, statusWithin(trustVectorOf(facts, wanted)));
  const { isAuthentic, events, state, image, used } = found;
  const base = {
    status,
    isTrusted: status !== 'contraindicated',
    isAuthentic,
    needsFirmwareLog: found.findings.some(({ code }) => code === 'log_missing'),
    atMs: nowMs,
    findings,
    facts,
    events,
    references: used,
    policy: { name: policy.name, sha256: policy.sha256 },
    decision,
    state,
    ...(image === undefined ? {} : { image }),
  };
  return { ...base, ear: earClaimsOf(base, { ...EAR_DEFAULTS, ...input.ear }) };
}

function decideOnce({ policy, decisions, machine }: AppraisalInput, facts: Facts): PolicyDecision {
  const isNamed = policy.asksForMachine && machine !== undefined;
  const question = { action: 'trust', ...(isNamed ? { machine } : {}) } as const;
  // What the policy does not ask for must not make each decision one of its own.
  const asked = policy.asksForEntries ? facts : { ...facts, runtime: { ...facts.runtime, entries: 0 } };
  if (decisions === undefined) return decide(policy, question, asked);
  const key = `${policy.sha256} ${sha256OfText(JSON.stringify([question, asked]))}`;
  const known = decisions.get(key);
  if (known !== undefined) return known;
  const decision = decide(policy, question, asked);
  decisions.set(key, decision);
  return decision;
}

function decisionFindings({ isPermitted, decidedBy, errors, unmet }: PolicyDecision, name: string): AppraisalFinding[] {
  const where = { artefact: `policy ${name}` };
  if (errors.length > 0) {
    const hint = 'The policy could not be evaluated, so that it permits nothing; mend it';
    return [{ code: 'policy_failed', severity: 'error', where, actual: errors.join('; ').slice(0, 1024), hint }];
  }
  if (isPermitted) return [];
  const hint =
    decidedBy.length > 0
      ? `The policy forbids it: ${decidedBy.join(', ')}`
      : `Nothing in the policy permits it; what does not hold: ${unmet.map(({ policy, condition }) => `${condition} (${policy})`).join('; ')}`;
  return [{ code: 'policy_denied', severity: 'error', where, hint: hint.slice(0, 2048) }];
}

const ORDER: readonly VerdictStatus[] = ['affirming', 'warning', 'contraindicated'];

function worse(a: VerdictStatus, b: VerdictStatus): VerdictStatus {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}
