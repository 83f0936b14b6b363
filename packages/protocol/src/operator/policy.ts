// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { name, sha256Hex, strict, timeMs } from '../fields.ts';
import { page } from './fields.ts';

const policyText = Type.String({ minLength: 1, maxLength: 65536 });

/** A version of a policy. Versions are never changed; one of each name is active, and 'trust' decides over boots. */
export const policyVersion = Type.Object(
  {
    name,
    /** 0 is the policy that the product brings along. */
    version: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
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

/** `POST /v1/devices/{id}/policy-test`: what this text would say of the device's last boot. Nothing is granted for it. */
export const testPolicy = Type.Object({ text: policyText }, strict);
export type TestPolicy = Static<typeof testPolicy>;
