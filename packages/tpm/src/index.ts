// SPDX-License-Identifier: Apache-2.0

export { type ClockChange, type ClockFindingCode, compareClocks } from './attest/clock.ts';
export {
  type AttestEvidence,
  type AttestExpectation,
  type AttestType,
  type VerifiedAttest,
  verifyAttest,
} from './attest/verify-attest.ts';
export {
  type VerifiedCreation,
  verifyCertify,
  verifyCertifyCreation,
  verifyNvCertify,
} from './attest/verify-certify.ts';
export { type AttestationKeyFindingCode, checkAttestationKey } from './attestation-key.ts';
export type { SessionUse } from './command/authorization.ts';
export type { Command, CommandInput, CommandOutput } from './command/command.ts';
export { execute } from './command/execute.ts';
export { type ExecuteOptions, type PreparedCommand, prepare } from './command/prepare.ts';
export { tpm2EcdhKeyGen, tpm2EcdhZGen, tpm2RsaDecrypt, tpm2RsaEncrypt } from './commands/asymmetric.ts';
export {
  tpm2Certify,
  tpm2CertifyCreation,
  tpm2GetSessionAuditDigest,
  tpm2GetTime,
  tpm2Quote,
} from './commands/attestation.ts';
export { tpm2GetCapability } from './commands/capability.ts';
export { tpm2ReadClock } from './commands/clock.ts';
export { tpm2ContextLoad, tpm2ContextSave, tpm2EvictControl, tpm2FlushContext } from './commands/context.ts';
export { tpm2DictionaryAttackLockReset, tpm2DictionaryAttackParameters } from './commands/dictionary-attack.ts';
export { tpm2Duplicate, tpm2Import } from './commands/duplication.ts';
export {
  tpm2EventSequenceComplete,
  tpm2Hash,
  tpm2HashSequenceStart,
  tpm2Hmac,
  tpm2HmacStart,
  tpm2SequenceComplete,
  tpm2SequenceUpdate,
} from './commands/hash.ts';
export { tpm2Clear, tpm2CreatePrimary, tpm2HierarchyChangeAuth } from './commands/hierarchy.ts';
export {
  tpm2NvCertify,
  tpm2NvDefineSpace,
  tpm2NvExtend,
  tpm2NvIncrement,
  tpm2NvRead,
  tpm2NvReadLock,
  tpm2NvReadPublic,
  tpm2NvSetBits,
  tpm2NvUndefineSpace,
  tpm2NvWrite,
  tpm2NvWriteLock,
} from './commands/nv.ts';
export {
  tpm2ActivateCredential,
  tpm2Create,
  tpm2Load,
  tpm2LoadExternal,
  tpm2MakeCredential,
  tpm2ObjectChangeAuth,
  tpm2ReadPublic,
  tpm2Unseal,
} from './commands/object.ts';
export { tpm2PcrEvent, tpm2PcrExtend, tpm2PcrRead, tpm2PcrReset } from './commands/pcr.ts';
export {
  tpm2PolicyAuthorize,
  tpm2PolicyAuthorizeNv,
  tpm2PolicyAuthValue,
  tpm2PolicyCommandCode,
  tpm2PolicyCounterTimer,
  tpm2PolicyCpHash,
  tpm2PolicyDuplicationSelect,
  tpm2PolicyGetDigest,
  tpm2PolicyLocality,
  tpm2PolicyNameHash,
  tpm2PolicyNv,
  tpm2PolicyNvWritten,
  tpm2PolicyOr,
  tpm2PolicyPassword,
  tpm2PolicyPcr,
  tpm2PolicyPhysicalPresence,
  tpm2PolicySecret,
  tpm2PolicySigned,
  tpm2PolicyTemplate,
} from './commands/policy.ts';
export { tpm2GetRandom } from './commands/random.ts';
export { tpm2PolicyRestart, tpm2StartAuthSession } from './commands/session.ts';
export { tpm2Sign, tpm2VerifySignature } from './commands/signature.ts';
export { tpm2SelfTest, tpm2Shutdown, tpm2Startup } from './commands/startup.ts';
export { activateCredential, type EkAuthorization, satisfyEkPolicy, withEkSession } from './ek/ek-session.ts';
export { type EkHash, ekPolicyA, ekPolicyB, ekPolicyBBranches } from './ek/policies.ts';
export { createEk, type EkCertificate, type EkStore, readEkStore, readEkTemplate } from './ek/read-ek.ts';
export { findStoredCertificates, type StoredCertificates } from './ek/stored-certificates.ts';
export { EK_TEMPLATES, type EkTemplate, type EkTemplateName, ekTemplate } from './ek/templates.ts';
export type { HandleValue, TpmEntity } from './entity.ts';
export { TpmError, type TpmErrorCode } from './error.ts';
export { digestAlgorithmOf, isTpmHashAvailable, tpmDigest, tpmHashSize } from './hash.ts';
export { jwkOf, type PublicJwk, pemOf, publicAreaFromJwk, publicAreaFromPem, spkiOfJwk } from './jwk.ts';
export { kdfA, kdfE } from './kdf.ts';
export {
  readAlgorithms,
  readBanks,
  readCommands,
  readHandles,
  readIdentity,
  readProperties,
  type TpmIdentity,
} from './local/capabilities.ts';
export { type NvIndex, readNv, readNvIndex } from './local/nv.ts';
export {
  type CreateOptions,
  type Creation,
  createObject,
  createPrimary,
  type LoadedObject,
  loadObject,
  type PrimaryOptions,
  readObject,
  type WrappedObject,
} from './local/objects.ts';
export { type PcrReading, readPcrs } from './local/pcrs.ts';
export { type SecretSessionOptions, withSecretSession } from './local/secret-session.ts';
export { vendorName } from './local/vendors.ts';
export { decodePublic, nameOf, nvNameOf, nvPublicArea, type PublicArea, publicArea, qualifiedNameOf } from './name.ts';
export {
  decodePcrSelection,
  encodePcrSelection,
  formatPcrSelection,
  PCR_COUNT,
  type PcrSelection,
} from './pcr-selection.ts';
export { type PcrValue, pcrDigestOf, selectPcrValues } from './pcr-values.ts';
export {
  authorizedPolicyDigest,
  type Comparison,
  type Policy,
  policyAuthorize,
  policyAuthorizeNv,
  policyAuthValue,
  policyCommandCode,
  policyCounterTimer,
  policyCpHash,
  policyDuplicationSelect,
  policyLocality,
  policyNameHash,
  policyNv,
  policyNvWritten,
  policyOr,
  policyPassword,
  policyPcr,
  policyPcrDigest,
  policyPhysicalPresence,
  policySecret,
  policySigned,
  policyTemplate,
  startPolicy,
} from './policy.ts';
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
export { changedPcrs, type SealFindingCode } from './sealed/changed-pcrs.ts';
export {
  type ClevisJwe,
  decryptClevisJwe,
  encodeClevisJwe,
  newClevisKey,
  parseClevisJwe,
} from './sealed/clevis.ts';
export { type PersistentParent, type PrimaryParent, type SealParent, SRK_PARENT } from './sealed/parent.ts';
export {
  type PcrlockIndex,
  type PcrlockPolicy,
  parsePcrlockPolicy,
  pcrlockFindings,
  pcrlockNvContents,
  pcrlockPolicyDigest,
  writtenNvName,
} from './sealed/pcrlock.ts';
export { MAX_SEALED_BYTES, type SealedObject, type SealInput, seal } from './sealed/seal.ts';
export {
  type PolicySignature,
  policyKeyArea,
  type SealPolicy,
  type SignedPcrs,
  sealPolicyDigest,
  signedPcrPolicy,
} from './sealed/seal-policy.ts';
export { formatSealedFile, parseSealedFile, type SealedFile } from './sealed/sealed-file.ts';
export {
  parseSystemdToken,
  SYSTEMD_TOKEN_TYPE,
  type SystemdToken,
  systemdPinAuth,
  systemdSlotPassphrase,
  systemdTokenOf,
} from './sealed/systemd-token.ts';
export { type UnsealInput, unseal } from './sealed/unseal.ts';
export type { RandomSource } from './secret-sharing.ts';
export { AuthSession, type SessionKind } from './session/auth-session.ts';
export { flush, withFlushed, withSession } from './session/scope.ts';
export { type SaltKey, type SessionOptions, startSession } from './session/start-session.ts';
export {
  importSigningKey,
  isTpmSignature,
  type KeySource,
  signingKeyFromSpki,
  type TpmSigningKey,
  type TpmSigningScheme,
} from './signing-key.ts';
export { type ImportableSecret, type ImportBlob, sealForImport, wrapForImport } from './software/import-blob.ts';
export { type Credential, makeCredential } from './software/make-credential.ts';
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
export { objectAttributes, type TpmaObject, tpmaObject } from './structures/attributes.ts';
export { tpm2bData, tpm2bDigest, tpm2bName, tpmlDigest } from './structures/buffer.ts';
export { TPM_PT, type TpmProperty, type TpmsCapabilityData, tpmsCapabilityData } from './structures/capability.ts';
export { type TpmsClockInfo, tpmsClockInfo } from './structures/clock.ts';
export { TPM_CC } from './structures/command-code.ts';
export { type TpmsContext, tpmsContext } from './structures/context.ts';
export {
  type CreationData,
  type TpmsCreationData,
  tpm2bCreationData,
  tpmsCreationData,
} from './structures/creation.ts';
export { tpm2bIdObject, tpmsIdObject } from './structures/credential.ts';
export { type TpmtHa, tpmlDigestValues, tpmtHa } from './structures/ha.ts';
export { firstHandle, handleType, TPM_HT, TPM_RH } from './structures/handle.ts';
export { commandHeader, HEADER_BYTES, responseHeader, tpmiStCommandTag } from './structures/header.ts';
export {
  type NvPublic,
  nvAttributes,
  TPM_NT,
  type TpmaNv,
  type TpmsNvPublic,
  tpm2bNvPublic,
  tpmsNvPublic,
} from './structures/nv.ts';
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
export {
  type TpmtSensitive,
  tpm2bEncryptedSecret,
  tpm2bPrivate,
  tpm2bSensitive,
  tpmsSensitiveCreate,
  tpmtSensitive,
} from './structures/sensitive.ts';
export { TPM_EO, type TpmEo, tpmaSession, tpmsAuthCommand, tpmsAuthResponse } from './structures/session.ts';
export { type TpmtSignature, tpmtSignature } from './structures/signature.ts';
export { type TpmtTicket, tpmtTicket } from './structures/ticket.ts';
export {
  type AttestationKeyKind,
  aesCfb,
  attestationKeyTemplate,
  changedArea,
  clientKeyTemplate,
  decryptionKeyTemplate,
  type SealedOptions,
  sealedTemplate,
  srkTemplate,
  storageTemplate,
} from './templates.ts';
export {
  createTotp,
  hotpDigits,
  loadTotp,
  type NewTotp,
  removeTotp,
  resealTotp,
  storeTotp,
  totpCode,
} from './totp/totp.ts';
export {
  decodeTotpBlob,
  encodeTotpBlob,
  TOTP_NV_INDEX,
  type TotpBank,
  type TotpBlob,
  type TotpPcrs,
  totpBlob,
} from './totp/totp-key.ts';
export type { TpmTransport } from './transport.ts';
