// SPDX-License-Identifier: Apache-2.0
import { type EnrolmentRequest, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { AgentError } from './error.ts';
import type { ServiceClient } from './http/service-client.ts';
import type { MachineTpm } from './machine-tpm.ts';
import type { AgentState, EnrolledState, PendingEnrolment } from './state/agent-state.ts';

/** How a machine asks to come in. */
export type Joining = EnrolmentRequest['joining'];

/** What the steps of an enrolment work with. */
export interface EnrolmentContext {
  readonly tpm: MachineTpm;
  readonly service: ServiceClient;
  /** Keeps a step before the next one is taken. */
  readonly keep: (state: AgentState) => void;
}

/** Enrolled, or to be asked about again: an operator has to look at it. */
export type EnrolmentOutcome =
  | { readonly state: 'enrolled'; readonly kept: EnrolledState }
  | { readonly state: 'awaiting-approval'; readonly askAgainAfterMs: number };

/**
 * Takes an enrolment as far as it goes. Each step is kept before the next: after a crash it goes on with the same keys and
 * the same request, so that a one-time token is enough and the service sees one machine.
 * @throws {AgentError} 'server_…', 'answer_malformed', 'credential_refused', 'endorsement_missing', 'tpm_changed'
 */
export async function enrol(context: EnrolmentContext, state: AgentState): Promise<EnrolmentOutcome> {
  const { enrolment } = state;
  if (enrolment.state === 'enrolled') return { state: 'enrolled', kept: state as EnrolledState };
  const { challenge } = enrolment;
  if (challenge === undefined) return prove(context, await request(context, state, enrolment));
  try {
    return await prove(context, state as AgentState & { enrolment: Answered });
  } catch (error) {
    // The service has forgotten this request, or it has expired: ask once more. Whatever else it says is its answer.
    if (!isForgotten(error)) throw error;
    return prove(context, await request(context, state, enrolment));
  }
}

type Answered = PendingEnrolment & { readonly challenge: NonNullable<PendingEnrolment['challenge']> };

async function request(
  { tpm, service, keep }: EnrolmentContext,
  state: AgentState,
  { joining, proposedId }: PendingEnrolment,
): Promise<AgentState & { readonly enrolment: Answered }> {
  const endorsement = await tpm.readEndorsement();
  const answer = await service.enrol({
    joining,
    ...(proposedId === undefined ? {} : { proposedId }),
    endorsement: { publicArea: endorsement.publicArea, certificates: endorsement.certificates },
    platformCertificates: endorsement.platformCertificates,
    attestationKey: state.keys.attestation.publicArea,
  });
  const challenge = {
    enrolmentId: answer.enrolmentId,
    ...answer.credential,
    template: endorsement.template,
    endorsementArea: endorsement.publicArea,
  };
  const next = {
    ...state,
    enrolment: { state: 'pending' as const, joining, ...(proposedId === undefined ? {} : { proposedId }), challenge },
  };
  keep(next);
  return next;
}

async function prove(
  { tpm, service, keep }: EnrolmentContext,
  state: AgentState & { readonly enrolment: Answered },
): Promise<EnrolmentOutcome> {
  const { enrolmentId, idObject, encryptedSecret, template, endorsementArea } = state.enrolment.challenge;
  const credential = { idObject: parseBase64url(idObject), encryptedSecret: parseBase64url(encryptedSecret) };
  const secret = await tpm.activate(state.keys, { template, publicArea: endorsementArea }, credential);
  const result = await service.prove(enrolmentId, { secret: encodeBase64url(secret) });
  if (result.state === 'awaiting-approval') return result;
  const { deviceId, attestationCertificates } = result;
  // The token is spent; it goes with the request that it was for.
  const kept: EnrolledState = { ...state, enrolment: { state: 'enrolled', deviceId, attestationCertificates } };
  keep(kept);
  return { state: 'enrolled', kept };
}

/** A request that the service does not go on with, or a credential that is not ours: another request may do. */
function isForgotten(error: unknown): boolean {
  if (!(error instanceof AgentError)) return false;
  const { status = 0, code = '' } = error.problem ?? {};
  return error.code === 'credential_refused' || [404, 409, 410].includes(status) || code === 'proof_wrong';
}
