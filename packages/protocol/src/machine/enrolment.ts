// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, deviceId, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';
import { challenge } from './challenge.ts';

const certificate = base64url(WIRE_LIMITS.certificateBytes, 1);

/** How a machine may come in. Each way is a setting of the service that can be off; there is no open default. */
const joining = Type.Union([
  /** One-time and expiring, made by an operator. */
  Type.Object({ kind: Type.Literal('token'), token: Type.String({ minLength: 16, maxLength: 256 }) }, strict),
  /** The EK or platform certificate was registered beforehand. */
  Type.Object({ kind: Type.Literal('inventory') }, strict),
  /** An operator will look at it. */
  Type.Object({ kind: Type.Literal('approval') }, strict),
]);

/** `POST /v1/enrolments`. Nothing in it is trusted before the proof. */
export const enrolmentRequest = Type.Object(
  {
    joining,
    /** What the machine would like to be called; a token or an inventory may say otherwise. */
    proposedId: Type.Optional(deviceId),
    endorsement: Type.Object(
      {
        /** TPMT_PUBLIC of the EK, as the TPM gives it. */
        publicArea: base64url(WIRE_LIMITS.publicAreaBytes, 1),
        /** DER, the EK's own first, then whatever chain the TPM's NV holds. */
        certificates: Type.Array(certificate, { minItems: 1, maxItems: WIRE_LIMITS.certificates }),
      },
      strict,
    ),
    /** TCG attribute certificates, DER; deltas included. */
    platformCertificates: Type.Array(certificate, { maxItems: WIRE_LIMITS.certificates }),
    /** TPMT_PUBLIC of the attestation key. */
    attestationKey: base64url(WIRE_LIMITS.publicAreaBytes, 1),
  },
  strict,
);
export type EnrolmentRequest = Static<typeof enrolmentRequest>;

/** Its answer: TPM2_MakeCredential over EK and the AK's name. Only that TPM, holding that AK, can open it. */
export const enrolmentChallenge = Type.Object(
  {
    enrolmentId: base64url(32, 16),
    credential: Type.Object(
      {
        /** TPMS_ID_OBJECT: what TPM2B_ID_OBJECT holds. */
        idObject: base64url(512, 1),
        /** TPM2B_ENCRYPTED_SECRET's contents. */
        encryptedSecret: base64url(1024, 1),
      },
      strict,
    ),
    expiresAtMs: timeMs,
  },
  strict,
);
export type EnrolmentChallenge = Static<typeof enrolmentChallenge>;

/** `POST /v1/enrolments/{enrolmentId}/proof`. May be repeated until it expires, to ask how an approval stands. */
export const enrolmentProof = Type.Object(
  {
    /** What TPM2_ActivateCredential gave. */
    secret: base64url(64, 16),
  },
  strict,
);
export type EnrolmentProof = Static<typeof enrolmentProof>;

export const enrolmentResult = Type.Union([
  Type.Object(
    {
      state: Type.Literal('awaiting-approval'),
      /** Milliseconds from this answer on. */
      askAgainAfterMs: Type.Integer({ minimum: 0, maximum: 24 * 3600 * 1000 }),
    },
    strict,
  ),
  Type.Object(
    {
      state: Type.Literal('enrolled'),
      deviceId,
      /** DER: the AK's certificate by the service's attestation CA, then that CA's. */
      attestationCertificates: Type.Array(certificate, { minItems: 1, maxItems: WIRE_LIMITS.certificates }),
      challenge,
    },
    strict,
  ),
]);
export type EnrolmentResult = Static<typeof enrolmentResult>;
