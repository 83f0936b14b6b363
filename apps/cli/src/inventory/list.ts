// SPDX-License-Identifier: Apache-2.0
import { type InventoryEntry, inventoryEntries } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<InventoryEntry>({
  description: 'Lists the machines that may join because they were registered beforehand.',
  example: 'inventory list',
  schema: inventoryEntries,
  path: '/v1/inventory',
  heading: ['ID', 'DEVICE', 'BY', 'SHA-256', 'SINCE'],
  row: ({ id, deviceId, kind, sha256, addedAtMs }) => [id, deviceId, kind, sha256, timeText(addedAtMs)],
  none: 'no machines are registered',
});
