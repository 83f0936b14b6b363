// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import type { UsedReference } from '../references/reference-set.ts';
import type { VerdictStatus } from '../status.ts';
import { type TrustVector, trustVectorOf } from './trust-vector.ts';

/** draft-ietf-rats-ear-04, section 3. */
const EAR_PROFILE = 'tag:ietf.org,2026:rats/ear#03';

/** The name under which the one appraised machine stands. */
const SUBMODULE = 'machine';

/** Of the service that signs. */
export interface VerifierId {
  readonly developer: string;
  readonly build: string;
}

export interface EarOptions {
  readonly verifier: VerifierId;
  /** How long the result may be relied on. */
  readonly lifetimeMs: number;
  /** Of the relying party that asked for it: base64url. */
  readonly nonce?: string;
  /** Of the evidence: base64url. */
  readonly evidenceNonce?: string;
}

/** Claims of an EAT attestation result, as JSON: what the service signs. draft-ietf-rats-ear-04, sections 3 and 3.1. */
export interface EarClaims {
  readonly eat_profile: typeof EAR_PROFILE;
  /** Seconds since 1970, UTC. */
  readonly iat: number;
  readonly exp: number;
  readonly ear_verifier_id: VerifierId;
  readonly eat_nonce?: string;
  readonly submods: Readonly<Record<typeof SUBMODULE, EarAppraisal>>;
}

/** One appraisal; `vouchsafe_…` are private claims. */
export interface EarAppraisal {
  readonly ear_status: VerdictStatus;
  readonly ear_trustworthiness_vector: TrustVector;
  readonly ear_appraisal_policy_ids: readonly string[];
  readonly eat_nonce?: string;
  readonly vouchsafe_image?: { readonly name: string; readonly version: string; readonly sha256: string };
  /** Codes of findings, each once, gravest first. */
  readonly vouchsafe_reasons: readonly string[];
  readonly vouchsafe_references: readonly UsedReference[];
}

/** What a verdict has that goes into its claims. */
export interface EarSubject {
  readonly status: VerdictStatus;
  readonly atMs: number;
  readonly facts: Facts;
  readonly findings: readonly AppraisalFinding[];
  readonly image?: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly references: readonly UsedReference[];
  readonly policy: UsedReference;
}

/** The claims of a verdict. */
export function earClaimsOf(verdict: EarSubject, options: EarOptions): EarClaims {
  const { status, atMs, facts, findings, image, references, policy } = verdict;
  const { verifier, lifetimeMs, nonce, evidenceNonce } = options;
  const grave = findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code);
  return {
    eat_profile: EAR_PROFILE,
    iat: Math.floor(atMs / 1000),
    exp: Math.floor((atMs + lifetimeMs) / 1000),
    ear_verifier_id: verifier,
    ...(nonce === undefined ? {} : { eat_nonce: nonce }),
    submods: {
      [SUBMODULE]: {
        ear_status: status,
        ear_trustworthiness_vector: trustVectorOf(facts, status),
        ear_appraisal_policy_ids: [policyId(policy)],
        ...(evidenceNonce === undefined ? {} : { eat_nonce: evidenceNonce }),
        ...(image === undefined ? {} : { vouchsafe_image: image }),
        vouchsafe_reasons: [...new Set(grave)],
        vouchsafe_references: references,
      },
    },
  };
}

const policyId = ({ name, sha256 }: UsedReference): string =>
  `urn:vouchsafe:policy:${encodeURIComponent(name)}:${sha256}`;
