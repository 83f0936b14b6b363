// SPDX-License-Identifier: Apache-2.0
import { type TokenRecord, tokenRecords } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<TokenRecord>({
  description: 'Lists the tokens to join with, used ones too; never the tokens themselves.',
  example: 'token list',
  schema: tokenRecords,
  path: '/v1/tokens',
  heading: ['ID', 'FOR', 'STATE', 'USED BY', 'MADE BY', 'LABEL'],
  row: (item) => [
    item.id,
    item.deviceId ?? '',
    item.usedAtMs === undefined ? `until ${timeText(item.expiresAtMs)}` : `used ${timeText(item.usedAtMs)}`,
    item.usedBy ?? '',
    item.createdBy,
    item.label,
  ],
  none: 'no tokens',
});
