// SPDX-License-Identifier: Apache-2.0
import { type SecretRecord, secretRecords } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<SecretRecord>({
  description: 'Lists the secrets, without what they hold.',
  example: 'secret list',
  schema: secretRecords,
  path: '/v1/secrets',
  heading: ['SECRET', 'VERSION', 'SINCE'],
  row: ({ name, version, updatedAtMs }) => [name, String(version), timeText(updatedAtMs)],
  none: 'no secrets yet; see secret put',
});
