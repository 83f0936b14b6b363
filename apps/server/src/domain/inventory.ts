// SPDX-License-Identifier: Apache-2.0
import type { AddInventory, InventoryEntries, InventoryEntry } from '@vouchsafe/protocol';
import { ServerError } from '../error.ts';
import type { InventoryRow } from '../store/rows/trust.ts';
import { newId } from './random.ts';
import { type Actor, act, type Service } from './service.ts';

const PAGE = 500;

export async function listInventory({ store }: Service, after = ''): Promise<InventoryEntries> {
  const rows = await store.read.trust.inventory(after, PAGE);
  const next = rows.length === PAGE ? rows.at(-1)?.id : undefined;
  return { items: rows.map(recordOf), ...(next === undefined ? {} : { next }) };
}

/** @throws {ServerError} 'conflict' for a key or certificate that is registered already. */
export async function addInventory(service: Service, actor: Actor, entry: AddInventory): Promise<InventoryEntry> {
  const { deviceId, kind, sha256 } = entry;
  const row: InventoryRow = { id: newId(), device_id: deviceId, kind, sha256, added_at_ms: service.clock() };
  await act(service, { kind: 'inventory.add', actor, subject: deviceId, detail: { kind, sha256 } }, async (tx) => {
    if (!(await tx.trust.addInventory(row))) throw new ServerError('conflict', 'that digest is registered already');
  });
  return recordOf(row);
}

/** @throws {ServerError} 'not_found' */
export async function removeInventory(service: Service, actor: Actor, id: string): Promise<void> {
  await act(service, { kind: 'inventory.remove', actor, subject: id }, async (tx) => {
    if (!(await tx.trust.removeInventory(id))) throw new ServerError('not_found', 'there is no such registration');
  });
}

const recordOf = (row: InventoryRow): InventoryEntry => ({
  id: row.id,
  deviceId: row.device_id,
  kind: row.kind,
  sha256: row.sha256,
  addedAtMs: row.added_at_ms,
});
