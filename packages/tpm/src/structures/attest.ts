// SPDX-License-Identifier: Apache-2.0
import { constant, enumOf, type Infer, rest, select, struct, u16be, u32be, u64be } from '@vouchsafe/codec';
import { tpmAlgId } from './algorithm.ts';
import { tpm2b, tpm2bData, tpm2bDigest, tpm2bName, tpmiYesNo } from './buffer.ts';
import { tpmsClockInfo, tpmsTimeInfo } from './clock.ts';
import { MAX_NV_BUFFER_BYTES, tpm2bMaxNvBuffer } from './nv.ts';
import { tpmlPcrSelection } from './pcr.ts';

/** TPM_GENERATED_VALUE: 0xff, then 'TCG'. TPM 2.0 Library, Part 2, section 6.2. */
export const TPM_GENERATED_VALUE = 0xff54_4347;

/** TPMI_ST_ATTEST. Part 2, section 10.12.10; the values are TPM_ST's, section 6.9. */
export const TPM_ST_ATTEST = {
  nv: 0x8014,
  commandAudit: 0x8015,
  sessionAudit: 0x8016,
  certify: 0x8017,
  quote: 0x8018,
  time: 0x8019,
  creation: 0x801a,
  nvDigest: 0x801c,
} as const;

/** Part 2, section 10.12.2. */
export const tpmsTimeAttestInfo = struct('TPMS_TIME_ATTEST_INFO', { time: tpmsTimeInfo, firmwareVersion: u64be });

/** Part 2, section 10.12.3. */
export const tpmsCertifyInfo = struct('TPMS_CERTIFY_INFO', { name: tpm2bName, qualifiedName: tpm2bName });

/** Part 2, section 10.12.4. */
export const tpmsQuoteInfo = struct('TPMS_QUOTE_INFO', {
  pcrSelect: tpmlPcrSelection,
  pcrDigest: [tpm2bDigest, "over the values in the order of pcrSelect, by the signing scheme's hash"],
});

/** Part 2, section 10.12.5. */
export const tpmsCommandAuditInfo = struct('TPMS_COMMAND_AUDIT_INFO', {
  auditCounter: u64be,
  digestAlg: tpmAlgId,
  auditDigest: tpm2bDigest,
  commandDigest: tpm2bDigest,
});

/** Part 2, section 10.12.6. */
export const tpmsSessionAuditInfo = struct('TPMS_SESSION_AUDIT_INFO', {
  exclusiveSession: tpmiYesNo,
  sessionDigest: tpm2bDigest,
});

/** Part 2, section 10.12.7. */
export const tpmsCreationInfo = struct('TPMS_CREATION_INFO', { objectName: tpm2bName, creationHash: tpm2bDigest });

/** Part 2, section 10.12.8. */
export const tpmsNvCertifyInfo = struct('TPMS_NV_CERTIFY_INFO', {
  indexName: tpm2bName,
  offset: u16be,
  nvContents: tpm2bMaxNvBuffer,
});

/** Part 2, section 10.12.9. */
export const tpmsNvDigestCertifyInfo = struct('TPMS_NV_DIGEST_CERTIFY_INFO', {
  indexName: tpm2bName,
  nvDigest: tpm2bDigest,
});

/** TPM 2.0 Library, Part 2, section 10.12.12. */
export const tpmsAttest = struct('TPMS_ATTEST', {
  magic: [constant(u32be, TPM_GENERATED_VALUE), 'TPM_GENERATED_VALUE: made inside a TPM'],
  type: [enumOf(u16be, TPM_ST_ATTEST), 'selects attested'],
  qualifiedSigner: [tpm2bName, 'qualified name of the signing key'],
  extraData: [tpm2bData, "the verifier's nonce"],
  clockInfo: tpmsClockInfo,
  firmwareVersion: [u64be, "the vendor's"],
  attested: select('type', {
    nv: tpmsNvCertifyInfo,
    commandAudit: tpmsCommandAuditInfo,
    sessionAudit: tpmsSessionAuditInfo,
    certify: tpmsCertifyInfo,
    quote: tpmsQuoteInfo,
    time: tpmsTimeAttestInfo,
    creation: tpmsCreationInfo,
    nvDigest: tpmsNvDigestCertifyInfo,
  }),
});
export type TpmsAttest = Infer<typeof tpmsAttest>;
export type TpmsQuote = Extract<TpmsAttest, { type: 'quote' }>;

/** Octets of a TPMS_ATTEST at most: NV contents and what stands around them. */
const MAX_ATTEST_BYTES = MAX_NV_BUFFER_BYTES + 512;

/** TPM2B_ATTEST: the octets that were signed, which are checked before they are read. Part 2, section 10.12.13. */
export const tpm2bAttest = tpm2b(rest, MAX_ATTEST_BYTES);
