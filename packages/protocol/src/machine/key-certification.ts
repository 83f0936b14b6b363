// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, strict } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';

/**
 * A key of the same TPM, by TPM2_Certify with the attestation key and the challenge's nonce in qualifyingData. Any other key
 * is refused: it must be fixedTPM and fixedParent, with no private part outside.
 */
export const keyCertification = Type.Object(
  {
    /** TPMT_PUBLIC. A client key signs (ECDSA P-256 or RSA-2048); a decryption key decrypts (RSA-2048, OAEP with SHA-256). */
    publicArea: base64url(WIRE_LIMITS.publicAreaBytes, 1),
    /** TPMS_ATTEST of the type certify, exactly as signed. */
    attest: base64url(WIRE_LIMITS.attestBytes, 1),
    /** TPMT_SIGNATURE by the attestation key. */
    signature: base64url(WIRE_LIMITS.signatureBytes, 1),
  },
  strict,
);
export type KeyCertification = Static<typeof keyCertification>;
