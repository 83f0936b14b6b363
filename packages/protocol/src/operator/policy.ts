// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { name, sha256Hex, strict, timeMs } from '../fields.ts';
import { page } from './fields.ts';

const policyText = Type.String({ minLength: 1, maxLength: 65536 });

/** A version of a policy. Versions are never changed; one of each name is active, and 'trust' decides over boots. */
export const policyVersion = Type.Object(
  {
    name,
    version: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    sha256: sha256Hex,
    isActive: Type.Boolean(),
    addedAtMs: timeMs,
    /** Cedar. */
    text: policyText,
  },
  strict,
);
export type PolicyVersion = Static<typeof policyVersion>;
export const policyVersions = page(policyVersion);
export type PolicyVersions = Static<typeof policyVersions>;

/** `PUT /v1/policies/{name}`: a new version, which is active at once unless it says otherwise. */
export const putPolicy = Type.Object({ text: policyText, isActive: Type.Optional(Type.Boolean()) }, strict);
export type PutPolicy = Static<typeof putPolicy>;
