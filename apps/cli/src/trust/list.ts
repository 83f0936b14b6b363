// SPDX-License-Identifier: Apache-2.0
import { type TrustAnchorRecord, trustAnchors } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<TrustAnchorRecord>({
  description: 'Lists whose certificates are trusted, and for what.',
  example: 'trust list',
  schema: trustAnchors,
  path: '/v1/trust',
  heading: ['SHA-256', 'FOR', 'UNTIL', 'SUBJECT'],
  row: ({ sha256, role, notAfterMs, subject }) => [sha256, role, timeText(notAfterMs), subject],
  none: 'nobody is trusted yet: no machine can join and no manifest is taken; see trust add',
});
