// SPDX-License-Identifier: Apache-2.0
export { encodeBase64url, parseBase64url } from './base64url.ts';
export { ProtocolError, type ProtocolErrorCode } from './error.ts';
export { formatJoinToken, type JoinToken, parseJoinToken, serviceUrl } from './join-token.ts';
export { WIRE_LIMITS } from './limits.ts';
export { type Challenge, challenge } from './machine/challenge.ts';
export {
  type EnrolmentChallenge,
  type EnrolmentProof,
  type EnrolmentRequest,
  type EnrolmentResult,
  enrolmentChallenge,
  enrolmentProof,
  enrolmentRequest,
  enrolmentResult,
} from './machine/enrolment.ts';
export { type AttestationResult, attestationResult, type Evidence, evidence } from './machine/evidence.ts';
export { type GrantedCertificate, type GrantedSecret, grantedCertificate, SECRET_LABEL } from './machine/grant.ts';
export type { KeyCertification } from './machine/key-certification.ts';
export { checkMessage } from './message.ts';
export { type Problem, problem } from './problem.ts';
export type { WireFinding } from './result/finding.ts';
export { type VerdictSummary, verdictSummary, type WireVerdictStatus } from './result/verdict-summary.ts';
