// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { bank, base64url, pcrIndex, sha256Hex, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';

/** PCRs of one bank that the quote must cover: exactly these. */
const wantedPcrs = Type.Object(
  { bank, pcrs: Type.Array(pcrIndex, { minItems: 1, maxItems: 24, uniqueItems: true }) },
  strict,
);

/**
 * `POST /v1/devices/{id}/challenges`, and in each answer to evidence. What to quote, over which nonce, and which logs the
 * service has not got yet. A machine sends no log that is not wanted; one that has started anew since (which it knows and
 * the service does not) sends its boot log all the same.
 */
export const challenge = Type.Object(
  {
    /** Goes into qualifyingData as it is. The service keeps no state for it. */
    nonce: base64url(WIRE_LIMITS.nonceBytes, 20),
    issuedAtMs: timeMs,
    expiresAtMs: timeMs,
    selection: Type.Array(wantedPcrs, { minItems: 1, maxItems: 4 }),
    logs: Type.Object(
      {
        /** Digest of the boot log that the service holds of this machine; absent when it holds none. */
        firmwareSha256: Type.Optional(sha256Hex),
        /** True when the log of systemd's userspace measurements is wanted, whole. */
        userspace: Type.Boolean(),
        /** From which octet of the binary IMA list on; absent when it is not wanted. */
        imaOffset: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
        /** True when the log of a dynamic launch is wanted. */
        launch: Type.Boolean(),
      },
      strict,
    ),
  },
  strict,
);
export type Challenge = Static<typeof challenge>;
