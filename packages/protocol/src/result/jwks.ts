// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, strict } from '../fields.ts';

/** `GET /v1/jwks.json`: the keys that attestation results are signed with. RFC 7517, 5. */
export const jwks = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.Literal('EC'),
          crv: Type.Literal('P-256'),
          x: base64url(32, 32),
          y: base64url(32, 32),
          kid: base64url(32, 32),
          use: Type.Literal('sig'),
          alg: Type.Literal('ES256'),
        },
        strict,
      ),
      { maxItems: 16 },
    ),
  },
  strict,
);
export type Jwks = Static<typeof jwks>;
