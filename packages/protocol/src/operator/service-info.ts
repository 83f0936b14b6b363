// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { sha256Hex, strict, timeMs } from '../fields.ts';
import { serviceUrl } from '../join-token.ts';

/** `GET /v1/service`: what an operator wants to know first. */
export const serviceInfo = Type.Object(
  {
    version: Type.String({ maxLength: 64 }),
    url: serviceUrl,
    /** What machines pin; see the join token. */
    caSha256: sha256Hex,
    /** PEM. */
    caCertificate: Type.String({ maxLength: 16384 }),
    nowMs: timeMs,
    devices: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    joining: Type.Object({ token: Type.Boolean(), inventory: Type.Boolean(), approval: Type.Boolean() }, strict),
  },
  strict,
);
export type ServiceInfo = Static<typeof serviceInfo>;
