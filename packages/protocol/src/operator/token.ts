// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { deviceId, strict, timeMs } from '../fields.ts';
import { label, page, recordId } from './fields.ts';

const DAY_MS = 86_400_000;

/** `POST /v1/tokens`: the leave to join, once. */
export const createToken = Type.Object(
  {
    /** How the machine is to be called, whatever it proposes. */
    deviceId: Type.Optional(deviceId),
    label: Type.Optional(label),
    /** A day when left out. */
    lifeMs: Type.Optional(Type.Integer({ minimum: 60_000, maximum: 90 * DAY_MS })),
  },
  strict,
);
export type CreateToken = Static<typeof createToken>;

const record = {
  id: recordId,
  deviceId: Type.Optional(deviceId),
  label,
  expiresAtMs: timeMs,
  createdBy: label,
  usedAtMs: Type.Optional(timeMs),
  usedBy: Type.Optional(deviceId),
};

export const tokenRecord = Type.Object(record, strict);
export type TokenRecord = Static<typeof tokenRecord>;
export const tokenRecords = page(tokenRecord);
export type TokenRecords = Static<typeof tokenRecords>;

/** Its answer, the only time that the token is shown; `text` is what `parseJoinToken` reads. */
export const createdToken = Type.Object({ ...record, text: Type.String({ maxLength: 2048 }) }, strict);
export type CreatedToken = Static<typeof createdToken>;
