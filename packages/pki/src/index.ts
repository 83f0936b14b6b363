// SPDX-License-Identifier: Apache-2.0
export { type AlgorithmIdentifier, digestOf, encodeDigestAlgorithm, readAlgorithm } from './algorithm.ts';
export { encodeBase64, parseBase64 } from './base64.ts';
export { type Attribute, type Attributes, signedAttributeBytes } from './cms/attribute.ts';
export { type SignDetachedOptions, signDetached } from './cms/create.ts';
export { type SignAttachedOptions, signAttached } from './cms/create-attached.ts';
export { decodeSignedData, type SignedData } from './cms/signed-data.ts';
export type { SignerIdentifier, SignerInfo } from './cms/signer-info.ts';
export {
  type VerifiedSignedData,
  type VerifiedSigner,
  type VerifySignedDataOptions,
  verifySignedData,
} from './cms/verify.ts';
export {
  type CertificateRevocationList,
  decodeCrl,
  isCrlSignedBy,
  type RevokedCertificate,
} from './crl/crl.ts';
export { type CrlInput, formatCrl, issueCrl } from './crl/issue-crl.ts';
export type { CrlReason } from './crl/reason.ts';
export type { DerElement } from './der/element.ts';
export {
  type BitString,
  decodeBitString,
  decodeBoolean,
  decodeInteger,
  decodeOctetBits,
  decodeOid,
} from './der/primitive.ts';
export { type DerReader, openDer, openDerSequence, reopenDer } from './der/reader.ts';
export { type DerRules, STRICT_DER, VENDOR_DER } from './der/rules.ts';
export { contextTag, TAG, tagName } from './der/tag.ts';
export { decodeText } from './der/text.ts';
export { decodeTime, encodeTime } from './der/time.ts';
export {
  encodeBitString,
  encodeBoolean,
  encodeElement,
  encodeInteger,
  encodeNamedBits,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  encodeUtf8String,
} from './der/writer.ts';
export { PkiError, type PkiErrorCode, type PkiErrorPlace } from './error.ts';
export { formatOid, OID, type OidName } from './oid.ts';
export { isSameName } from './path/name-match.ts';
export type { PathOptions } from './path/options.ts';
export type { PathProblem, PathProblemCode } from './path/problem.ts';
export { type PathResult, type ValidatedPath, validatePath } from './path/validate-path.ts';
export { formatPem, type PemBlock, parsePem } from './pem.ts';
export { importKey, isSignatureBy, type KeySource } from './public-key.ts';
export { encodeSignatureAlgorithm, encodeSignerAlgorithm, schemeOf } from './signature-algorithm.ts';
export { type DigestSigner, type MessageSigner, type Signer, signWith } from './signer.ts';
export {
  type AttributeCertificate,
  decodeAttributeCertificate,
  type Holder,
  type IssuerSerial,
  isAttributeCertificateSignedBy,
} from './x509/attribute-certificate.ts';
export { type AttributeSet, readAttributeSets } from './x509/attribute-set.ts';
export {
  type Certificate,
  decodeCertificate,
  fingerprintOf,
  type PublicKeyInfo,
  type Validity,
} from './x509/certificate.ts';
export { decodeCertificates, formatCertificate } from './x509/certificate-file.ts';
export { isCertificateSignedBy } from './x509/certificate-signature.ts';
export type { Extension } from './x509/extension.ts';
export { encodeGeneralNames, type GeneralName, type NameToEncode } from './x509/general-name.ts';
export {
  type Authority,
  type CertificateInput,
  issueCertificate,
  issueCertificateDer,
  issueSelfSigned,
  type SelfSignedInput,
} from './x509/issue.ts';
export {
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  type CertificateExtensions,
  KEY_USAGES,
  type KeyUsage,
} from './x509/known-extensions.ts';
export { encodeName, type Name, type NameAttribute, readName } from './x509/name.ts';
export { subjectSpki } from './x509/subject-spki.ts';
