// SPDX-License-Identifier: Apache-2.0
import {
  type AttestationResult,
  attestationResult,
  type Challenge,
  challenge,
  checkMessage,
  type EnrolmentChallenge,
  type EnrolmentProof,
  type EnrolmentRequest,
  type EnrolmentResult,
  type Evidence,
  enrolmentChallenge,
  enrolmentResult,
  ProtocolError,
  problem,
} from '@vouchsafe/protocol';
import type { TSchema } from 'typebox';
import { AgentError } from '../error.ts';
import type { ServiceResponse, Transport } from './transport.ts';

/** The service's routes for machines. Each throws {AgentError} 'server_refused', 'answer_malformed', or as `Transport.post`. */
export interface ServiceClient {
  enrol(request: EnrolmentRequest): Promise<EnrolmentChallenge>;
  prove(enrolmentId: string, proof: EnrolmentProof): Promise<EnrolmentResult>;
  challenge(deviceId: string): Promise<Challenge>;
  attest(deviceId: string, evidence: Evidence): Promise<AttestationResult>;
}

export function serviceClient(transport: Transport): ServiceClient {
  const post = async <S extends TSchema>(schema: S, path: string, body: unknown) => {
    const response = await transport.post(path, body);
    if (response.status < 200 || response.status > 299) throw refusal(path, response);
    try {
      return checkMessage(schema, response.body);
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      throw new AgentError('answer_malformed', `${path}: the service's answer: ${cause.message}`, { cause });
    }
  };
  const device = (id: string): string => `/v1/devices/${encodeURIComponent(id)}`;
  return {
    enrol: (request) => post(enrolmentChallenge, '/v1/enrolments', request),
    prove: (id, proof) => post(enrolmentResult, `/v1/enrolments/${encodeURIComponent(id)}/proof`, proof),
    challenge: (deviceId) => post(challenge, `${device(deviceId)}/challenges`, {}),
    attest: (deviceId, evidence) => post(attestationResult, `${device(deviceId)}/evidence`, evidence),
  };
}

function refusal(path: string, { status, body, retryAfterMs }: ServiceResponse): AgentError {
  const known = isProblem(body) ? body : undefined;
  const code = known?.code ?? 'unknown';
  const said = known === undefined ? '' : `: ${code}: ${known.detail ?? known.title}`;
  return new AgentError('server_refused', `${path}: the service refused with status ${status}${said}`, {
    problem: { status, code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

function isProblem(body: unknown): body is { code: string; title: string; detail?: string } {
  try {
    checkMessage(problem, body);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}
