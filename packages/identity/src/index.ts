// SPDX-License-Identifier: Apache-2.0
export {
  checkEndorsementKey,
  type EndorsementKeyEvidence,
  type EndorsementKeyFindingCode,
  type EndorsementKeyOptions,
  type EndorsementKeyResult,
  type VerifiedEndorsementKey,
} from './ek/check-ek.ts';
export { type TpmDescription, type TpmSpecification, tpmOf } from './ek/tpm-of.ts';
export { type CertifiedKeyFindingCode, type CertifiedKeyUse, checkCertifiedKey } from './key/check-key.ts';
export { type KeyEvidence, type KeyResult, type VerifiedKey, verifyKey } from './key/verify-key.ts';
export { type Manufacturer, manufacturerOf, parseManufacturer } from './manufacturer.ts';
export { applyDelta, type DeltaConflict, type DeltaResult } from './platform/apply-delta.ts';
export {
  checkPlatformCertificate,
  type PlatformFindingCode,
  type PlatformOptions,
  type PlatformResult,
  type VerifiedPlatform,
} from './platform/check-platform.ts';
export type { Component, ComponentAddress } from './platform/component.ts';
export type { PlatformConfiguration, PlatformProperty } from './platform/configuration.ts';
export { decodePlatformCertificate, type PlatformCertificate } from './platform/platform-certificate.ts';
export { isRocaModulus } from './roca.ts';
export { TCG_OID } from './tcg-oid.ts';
export { buildTrustStore, type TrustStore } from './trust-store.ts';
