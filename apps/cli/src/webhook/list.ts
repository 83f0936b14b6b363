// SPDX-License-Identifier: Apache-2.0
import { type WebhookRecord, webhookRecords } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';

export const list = listVerb<WebhookRecord>({
  description: 'Lists who is told of events, and whether that works.',
  example: 'webhook list',
  schema: webhookRecords,
  path: '/v1/webhooks',
  heading: ['ID', 'URL', 'KINDS', 'FAILURES', 'LAST ERROR'],
  row: ({ id, url, kinds, failures, lastError }) => [
    id,
    url,
    kinds.length === 0 ? 'all' : kinds.join(' '),
    failures === 0 ? '' : String(failures),
    lastError ?? '',
  ],
  none: 'no webhooks; see webhook add',
});
