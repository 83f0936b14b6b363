// SPDX-License-Identifier: Apache-2.0
export { type AttestationKeyFindingCode, checkAttestationKey } from './attestation-key.ts';
export { TpmError, type TpmErrorCode } from './error.ts';
export { digestAlgorithmOf, isTpmHashAvailable, tpmDigest, tpmHashSize } from './hash.ts';
export { decodePublic, nameOf, type PublicArea, publicArea, qualifiedNameOf } from './name.ts';
export {
  decodePcrSelection,
  encodePcrSelection,
  formatPcrSelection,
  PCR_COUNT,
  type PcrSelection,
} from './pcr-selection.ts';
export { type PcrValue, pcrDigestOf, selectPcrValues } from './pcr-values.ts';
export { type Policy, policyAuthorize, policyPcr, startPolicy } from './policy.ts';
export { checkQuote, type QuoteFindingCode, type QuoteOutcome } from './quote/check-quote.ts';
export {
  DEFAULT_SIGNATURE_HASHES,
  type FreshQuote,
  type SelectedQuote,
  type SignedAttest,
  type SignedQuote,
  type VerifiedQuote,
  verifyAttestSignature,
  verifyQuoteNonce,
  verifyQuotePcrs,
  verifyQuoteSelection,
  verifyQuoteType,
} from './quote/steps.ts';
export { type QuoteEvidence, type QuoteExpectation, verifyQuote } from './quote/verify-quote.ts';
export {
  decodeReturnCode,
  formatReturnCode,
  type ReturnCode,
  type ReturnCodeSubject,
  TpmResponseError,
} from './return-code/return-code.ts';
export {
  importSigningKey,
  isTpmSignature,
  type KeySource,
  signingKeyFromSpki,
  type TpmSigningKey,
  type TpmSigningScheme,
} from './signing-key.ts';
export { type PublicAreaOptions, publicAreaFromSpki, spkiOf } from './spki.ts';
export {
  formatBank,
  isTpmHash,
  TPM_ALG,
  TPM_HASH,
  type TpmAlgId,
  type TpmBank,
  type TpmHash,
  tpmAlgId,
  tpmiAlgHash,
  tpmiAlgHashOpen,
} from './structures/algorithm.ts';
export {
  TPM_GENERATED_VALUE,
  TPM_ST_ATTEST,
  type TpmsAttest,
  type TpmsQuote,
  tpmsAttest,
  tpmsCertifyInfo,
  tpmsCommandAuditInfo,
  tpmsCreationInfo,
  tpmsNvCertifyInfo,
  tpmsNvDigestCertifyInfo,
  tpmsQuoteInfo,
  tpmsSessionAuditInfo,
  tpmsTimeAttestInfo,
} from './structures/attest.ts';
export { type TpmaObject, tpmaObject } from './structures/attributes.ts';
export { tpm2bData, tpm2bDigest, tpm2bName, tpmlDigest } from './structures/buffer.ts';
export { type TpmsClockInfo, tpmsClockInfo } from './structures/clock.ts';
export { commandHeader, HEADER_BYTES, responseHeader, tpmiStCommandTag } from './structures/header.ts';
export { type TpmsPcrSelection, tpmlPcrSelection, tpmsPcrSelection } from './structures/pcr.ts';
export {
  type TpmtPublic,
  tpm2bPublic,
  tpmEccCurve,
  tpmsEccParms,
  tpmsEccPoint,
  tpmsKeyedhashParms,
  tpmsRsaParms,
  tpmsSymcipherParms,
  tpmtPublic,
} from './structures/public.ts';
export { type TpmtSignature, tpmtSignature } from './structures/signature.ts';
export type { TpmTransport } from './transport.ts';
