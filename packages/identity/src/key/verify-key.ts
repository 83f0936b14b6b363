// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { decode } from '@vouchsafe/codec';
import {
  type PublicArea,
  spkiOf,
  TpmError,
  type TpmSigningKey,
  type TpmtPublic,
  tpmtPublic,
  verifyCertify,
} from '@vouchsafe/tpm';
import { type CertifiedKeyFindingCode, type CertifiedKeyUse, checkCertifiedKey } from './check-key.ts';

/** What the machine sent. All of it is untrusted. */
export interface KeyEvidence {
  /** The octets of TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
  /** The octets of TPMS_ATTEST by TPM2_Certify, exactly as signed. */
  readonly attest: Uint8Array;
  /** The octets of TPMT_SIGNATURE. */
  readonly signature: Uint8Array;
}

declare const verified: unique symbol;

/** A key that is in the TPM of the attestation key, cannot leave it, and is fit for one use. Only `verifyKey` makes one. */
export interface VerifiedKey<Use extends CertifiedKeyUse = CertifiedKeyUse> {
  readonly [verified]: Use;
  readonly use: Use;
  readonly area: TpmtPublic;
  /** DER of SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

export type KeyResult<Use extends CertifiedKeyUse> =
  | { readonly key: VerifiedKey<Use>; readonly findings: readonly [] }
  | { readonly key: undefined; readonly findings: readonly Finding<CertifiedKeyFindingCode | 'key_uncertified'>[] };

/**
 * TPM2_Certify by the attestation key over the challenge, and the attributes of what was certified: any other key is
 * refused. The attributes count because the certified name is made of them.
 * @param expected the enrolled attestation key, and the nonce of the challenge that the certification answers
 * @throws {CodecError} for malformed bytes
 */
export function verifyKey<Use extends CertifiedKeyUse>(
  evidence: KeyEvidence,
  use: Use,
  expected: { readonly attestationKey: TpmSigningKey; readonly nonce: Uint8Array },
): KeyResult<Use> {
  const bytes = evidence.publicArea.slice();
  const object: PublicArea = { value: decode(tpmtPublic, bytes), bytes };
  const findings = checkCertifiedKey(object.value, use);
  if (findings.length > 0) return { key: undefined, findings };
  try {
    verifyCertify(evidence, { key: expected.attestationKey, nonce: expected.nonce, object });
    const key = { use, area: object.value, spki: spkiOf(object.value) } as VerifiedKey<Use>;
    return { key, findings: [] };
  } catch (cause) {
    if (!(cause instanceof TpmError)) throw cause;
    const finding = {
      code: 'key_uncertified',
      severity: 'error',
      where: { artefact: `${use} key` },
      expected: "a certification by this machine's attestation key for this challenge",
      actual: `${cause.code}: ${cause.message}`,
      hint: 'Certify a key of the same TPM with TPM2_Certify, with the nonce of the challenge in qualifyingData',
    } as const;
    return { key: undefined, findings: [finding] };
  }
}
