// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { CreatedWebhook, CreateWebhook, WebhookRecord } from '@vouchsafe/protocol';
import { ServerError } from '../../error.ts';
import type { WebhookRow } from '../../store/rows/webhooks.ts';
import { newId } from '../random.ts';
import { envelopeRow } from '../secrets/rotate.ts';
import { sealedNames } from '../secrets/sealed-names.ts';
import { type Actor, act, type Service } from '../service.ts';
import { requireWebhookUrl } from './post-webhook.ts';
import { allowedAddresses, resolveAllowed } from './safe-address.ts';
import { newWebhookSecret } from './webhook-signature.ts';

const MAX_WEBHOOKS = 64;

export async function listWebhooks({ store }: Service): Promise<WebhookRecord[]> {
  return (await store.read.webhooks.list()).map(recordOf);
}

/**
 * Events are told of from now on.
 * @returns with the key that they are signed with: shown now and never again
 * @throws {ServerError} 'address_refused', 'conflict' for more than there may be
 */
export async function addWebhook(
  service: Service,
  actor: Actor,
  { url: text, kinds = [] }: CreateWebhook,
): Promise<CreatedWebhook> {
  const { allow, allowHttp } = service.config.grants.webhooks;
  const url = requireWebhookUrl(text, allowHttp);
  // Looked at now, for whoever asks; and again before each message.
  await resolveAllowed(url.hostname, allowedAddresses(allow));
  const [id, secret, nowMs] = [newId(), newWebhookSecret(), service.clock()];
  const row: WebhookRow = {
    id,
    url: url.href,
    kinds: JSON.stringify(kinds),
    ...envelopeRow(service.keys.ring.seal(utf8(secret), sealedNames.webhook(id))),
    next_place: service.auditLog.size,
    failures: 0,
    next_at_ms: nowMs,
    last_error: null,
    created_at_ms: nowMs,
  };
  await act(service, { kind: 'webhook.create', actor, subject: id, detail: { url: url.href, kinds } }, async (tx) => {
    if ((await tx.webhooks.list()).length >= MAX_WEBHOOKS) {
      throw new ServerError('conflict', `expected at most ${MAX_WEBHOOKS} webhooks: remove one first`);
    }
    await tx.webhooks.insert(row);
  });
  return { ...recordOf(row), secret };
}

/** @throws {ServerError} 'not_found' */
export async function removeWebhook(service: Service, actor: Actor, id: string): Promise<void> {
  await act(service, { kind: 'webhook.remove', actor, subject: id }, async (tx) => {
    if (!(await tx.webhooks.remove(id))) throw new ServerError('not_found', 'there is no such webhook');
  });
}

const recordOf = (row: WebhookRow): WebhookRecord => ({
  id: row.id,
  url: row.url,
  kinds: JSON.parse(row.kinds) as string[],
  nextPlace: row.next_place,
  failures: row.failures,
  createdAtMs: row.created_at_ms,
  ...(row.last_error === null ? {} : { lastError: row.last_error }),
});
