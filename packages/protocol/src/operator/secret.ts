// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, name, strict, timeMs } from '../fields.ts';
import { label, page } from './fields.ts';

const MAX_SECRET_BYTES = 512 * 1024;
/** Cedar: which machines may have it. Nobody but those that a policy permits. */
const policy = Type.String({ minLength: 1, maxLength: 65_536 });

/** `PUT /v1/secrets/{name}`: a new version, which machines get from now on. */
export const putSecret = Type.Object(
  {
    value: base64url(MAX_SECRET_BYTES, 1),
    /** The one of before when left out; the first version needs one. */
    policy: Type.Optional(policy),
  },
  strict,
);
export type PutSecret = Static<typeof putSecret>;

/** A secret without what it holds, which no operator is ever shown. */
export const secretRecord = Type.Object(
  { name, version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), policy, updatedAtMs: timeMs },
  strict,
);
export type SecretRecord = Static<typeof secretRecord>;
export const secretRecords = page(secretRecord);
export type SecretRecords = Static<typeof secretRecords>;

/** `GET /v1/secrets/{name}`. */
export const secretDetail = Type.Object(
  {
    ...secretRecord.properties,
    versions: Type.Array(
      Type.Object(
        {
          version: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
          createdAtMs: timeMs,
          createdBy: label,
        },
        strict,
      ),
      { maxItems: 100 },
    ),
  },
  strict,
);
export type SecretDetail = Static<typeof secretDetail>;
