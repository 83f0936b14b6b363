// SPDX-License-Identifier: Apache-2.0
import { type OperatorRecord, operatorRecords } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<OperatorRecord>({
  description: 'Lists who may use the service, and as what.',
  example: 'operator list',
  schema: operatorRecords,
  path: '/v1/operators',
  heading: ['ID', 'NAME', 'ROLE', 'SIGNS IN BY', 'SINCE'],
  row: ({ id, name, role, credential, createdAtMs }) => [id, name, role, credential, timeText(createdAtMs)],
  none: 'no operators',
});
