// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { strict, timeMs } from '../fields.ts';
import { foreignText, page, recordId } from './fields.ts';

const url = Type.String({ pattern: '^https?://', maxLength: 2048 });

/** Kinds of events, or their beginnings with a star: 'verdict.change', 'device.*'. */
const kinds = Type.Array(Type.String({ pattern: '^[a-z-]+\\.([a-z-]+|\\*)$', maxLength: 64 }), { maxItems: 64 });

/** `POST /v1/webhooks`: where to, and which events; all when none is named. */
export const createWebhook = Type.Object({ url, kinds: Type.Optional(kinds) }, strict);
export type CreateWebhook = Static<typeof createWebhook>;

const record = {
  id: recordId,
  url,
  kinds,
  /** The next entry of the audit log that it is told of. */
  nextPlace: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  /** In a row, until now. */
  failures: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  lastError: Type.Optional(foreignText),
  createdAtMs: timeMs,
};

export const webhookRecord = Type.Object(record, strict);
export type WebhookRecord = Static<typeof webhookRecord>;
export const webhookRecords = page(webhookRecord);
export type WebhookRecords = Static<typeof webhookRecords>;

/** Its answer, the only time that the key is shown: Standard Webhooks, whsec_… */
export const createdWebhook = Type.Object({ ...record, secret: Type.String({ maxLength: 128 }) }, strict);
export type CreatedWebhook = Static<typeof createdWebhook>;
