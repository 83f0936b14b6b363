// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { bank, base64url, name, pcrIndex, sha256Hex, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';
import { earToken } from '../result/ear-token.ts';
import { verdictSummary } from '../result/verdict-summary.ts';
import { challenge } from './challenge.ts';
import { grantedCertificate, grantedSecret } from './grant.ts';
import { keyCertification } from './key-certification.ts';

/** A boot log travels once for each boot; afterwards its digest is enough. */
const firmwareLog = Type.Object(
  { sha256: sha256Hex, bytes: Type.Optional(base64url(WIRE_LIMITS.firmwareLogBytes)) },
  strict,
);

/** `POST /v1/devices/{id}/evidence`. The quote is made first and the growing lists are read after it. */
export const evidence = Type.Object(
  {
    /** Of the challenge that this answers. */
    nonce: base64url(WIRE_LIMITS.nonceBytes, 20),
    quote: Type.Object(
      {
        /** TPMS_ATTEST, exactly as signed. */
        attest: base64url(WIRE_LIMITS.attestBytes, 1),
        /** TPMT_SIGNATURE. */
        signature: base64url(WIRE_LIMITS.signatureBytes, 1),
      },
      strict,
    ),
    pcrs: Type.Array(Type.Object({ bank, pcr: pcrIndex, value: base64url(64, 20) }, strict), {
      maxItems: WIRE_LIMITS.pcrValues,
    }),
    logs: Type.Object(
      {
        firmware: firmwareLog,
        userspace: Type.Optional(base64url(WIRE_LIMITS.userspaceLogBytes)),
        /** The binary list from this octet on: at an entry's border. */
        ima: Type.Optional(
          Type.Object(
            {
              offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
              bytes: base64url(WIRE_LIMITS.imaBytes),
            },
            strict,
          ),
        ),
        launch: Type.Optional(base64url(WIRE_LIMITS.launchLogBytes)),
      },
      strict,
    ),
    /** Keys of this TPM that are to be used, certified by the AK over this nonce. Those known already stay so. */
    keys: Type.Optional(
      Type.Object({ client: Type.Optional(keyCertification), decryption: Type.Optional(keyCertification) }, strict),
    ),
    /** Names of the secrets that are asked for. They need a challenge that is younger than a minute. */
    secrets: Type.Optional(Type.Array(name, { maxItems: WIRE_LIMITS.secretNames, uniqueItems: true })),
    /** A nonce of a relying party, which comes back in the attestation result. */
    relyingPartyNonce: Type.Optional(base64url(64, 8)),
  },
  strict,
);
export type Evidence = Static<typeof evidence>;

/** Its answer, whatever the verdict is: a machine that is refused is told why. */
export const attestationResult = Type.Object(
  {
    verdict: verdictSummary,
    /** The attestation result for relying parties. */
    ear: earToken,
    /** Present when the verdict grants one and it is due, or a client key was certified just now. */
    certificate: Type.Optional(grantedCertificate),
    /** One for each name that was asked for. */
    secrets: Type.Optional(Type.Array(grantedSecret, { maxItems: WIRE_LIMITS.secretNames })),
    /** When to attest next, by the service's clock. */
    nextAtMs: timeMs,
    /** For then. */
    challenge,
  },
  strict,
);
export type AttestationResult = Static<typeof attestationResult>;
