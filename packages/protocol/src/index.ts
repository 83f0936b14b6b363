// SPDX-License-Identifier: Apache-2.0
export { encodeBase64url, parseBase64url } from './base64url.ts';
export { ProtocolError, type ProtocolErrorCode } from './error.ts';
export { deviceId, name, sha256Hex, strict, timeMs } from './fields.ts';
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
export {
  type AuditHead,
  type AuditProof,
  auditHead,
  auditProof,
  type VerdictProof,
  verdictProof,
} from './operator/audit.ts';
export {
  type FirmwareBaselineRecord,
  type FirmwareBaselines,
  firmwareBaseline,
  firmwareBaselines,
  type ImportBaseline,
  importBaseline,
  type LearnBaseline,
  learnBaseline,
} from './operator/baseline.ts';
export {
  type CertificateRecord,
  type CertificateRecords,
  certificateRecord,
  certificateRecords,
  type RevokedCertificates,
  revokedCertificates,
} from './operator/certificate.ts';
export {
  type AwaitingEnrolments,
  awaitingEnrolment,
  awaitingEnrolments,
  type BootLog,
  bootLog,
  type DeviceDetail,
  type DeviceList,
  type DeviceState,
  type DeviceSummary,
  type DeviceVerdicts,
  deviceDetail,
  deviceList,
  deviceState,
  deviceSummary,
  deviceVerdicts,
} from './operator/device.ts';
export { label, recordId } from './operator/fields.ts';
export {
  type CreatedOperator,
  type CreateOperator,
  createdOperator,
  createOperator,
  type OperatorRecord,
  type OperatorRecords,
  type OperatorRole,
  operatorRecord,
  operatorRecords,
  operatorRole,
} from './operator/operator.ts';
export {
  type PolicyVersion,
  type PolicyVersions,
  type PutPolicy,
  policyVersion,
  policyVersions,
  putPolicy,
  type TestPolicy,
  testPolicy,
} from './operator/policy.ts';
export {
  type AddPart,
  type AddReference,
  addPart,
  addReference,
  type ImageReferenceRecord,
  type ImageReferences,
  imageReference,
  imageReferences,
  type PutVersionFloor,
  putVersionFloor,
  type RetireReference,
  retireReference,
  type VersionFloors,
  versionFloors,
} from './operator/reference.ts';
export {
  type PutSecret,
  putSecret,
  type SecretDetail,
  type SecretRecord,
  type SecretRecords,
  secretDetail,
  secretRecord,
  secretRecords,
} from './operator/secret.ts';
export { type ServiceInfo, serviceInfo } from './operator/service-info.ts';
export {
  type CreatedToken,
  type CreateToken,
  createdToken,
  createToken,
  type TokenRecord,
  type TokenRecords,
  tokenRecord,
  tokenRecords,
} from './operator/token.ts';
export {
  type AddInventory,
  type AddTrust,
  addInventory,
  addTrust,
  type InventoryEntries,
  type InventoryEntry,
  inventoryEntries,
  inventoryEntry,
  type TrustAnchorRecord,
  type TrustAnchors,
  type TrustRole,
  trustAnchor,
  trustAnchors,
  trustRole,
} from './operator/trust.ts';
export {
  type CreatedWebhook,
  type CreateWebhook,
  createdWebhook,
  createWebhook,
  type WebhookRecord,
  type WebhookRecords,
  webhookRecord,
  webhookRecords,
} from './operator/webhook.ts';
export { type Problem, problem } from './problem.ts';
export type { WireFinding } from './result/finding.ts';
export { type Jwks, jwks } from './result/jwks.ts';
export { type VerdictSummary, verdictSummary, type WireVerdictStatus } from './result/verdict-summary.ts';
