// SPDX-License-Identifier: Apache-2.0
import Type from 'typebox';

/** No message has members that its form does not name: what is not understood is refused, not passed over. */
export const strict = { additionalProperties: false } as const;

/** Octets as base64url without padding: RFC 4648, 5. */
export const base64url = (maxBytes: number, minBytes = 0) =>
  Type.String({
    pattern: '^[A-Za-z0-9_-]*$',
    minLength: Math.ceil((minBytes * 4) / 3),
    maxLength: Math.ceil((maxBytes * 4) / 3),
  });

/** A digest in lower-case hexadecimal, as on the command line and in files. */
export const sha256Hex = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** How a machine is called: also a DNS label of a certificate and a path of a SPIFFE ID, hence so narrow. */
export const deviceId = Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });

/** How a secret, a policy, a label of an operator's is called. */
export const name = Type.String({ pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$' });

/** The last time that a date can be made of. ECMA-262, 21.4.1.1. */
const MAX_TIME_MS = 8.64e15;

/** Milliseconds since 1970, UTC, by the service's clock. */
export const timeMs = Type.Integer({ minimum: 0, maximum: MAX_TIME_MS });

export const bank = Type.Enum(['sha256', 'sha384', 'sha512', 'sha1']);

export const pcrIndex = Type.Integer({ minimum: 0, maximum: 23 });
