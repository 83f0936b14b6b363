// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, name, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';

/** A client certificate for the machine's certified client key. */
export const grantedCertificate = Type.Object(
  {
    /** DER: the certificate, then its issuers. */
    chain: Type.Array(base64url(WIRE_LIMITS.certificateBytes, 1), { minItems: 1, maxItems: 4 }),
    notBeforeMs: timeMs,
    notAfterMs: timeMs,
    /** When to ask for the next one at the latest. */
    renewAtMs: timeMs,
  },
  strict,
);
export type GrantedCertificate = Static<typeof grantedCertificate>;

/** The label of OAEP, with the NUL that a TPM wants at its end (TPM 2.0 Library, Part 3, TPM2_RSA_Decrypt). */
export const SECRET_LABEL = 'vouchsafe-secret\0';

/** A secret that only the machine's certified decryption key opens, or why it is not given. */
export const grantedSecret = Type.Union([
  Type.Object(
    {
      name,
      state: Type.Literal('granted'),
      version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      /** A key of 32 octets under RSAES-OAEP with SHA-256 and SECRET_LABEL. */
      wrappedKey: base64url(512, 1),
      /** AES-256-GCM: a nonce of 12 octets, the ciphertext, a tag of 16. Associated data: the device id, a zero octet, the name. */
      box: base64url(1024 * 1024, 28),
    },
    strict,
  ),
  Type.Object(
    {
      name,
      state: Type.Literal('refused'),
      /** The same whether the secret is not there or not for this machine: its name alone tells nothing. */
      code: Type.Enum(['not_granted', 'challenge_too_old', 'decryption_key_missing']),
      hint: Type.String({ maxLength: 1024 }),
    },
    strict,
  ),
]);
export type GrantedSecret = Static<typeof grantedSecret>;
