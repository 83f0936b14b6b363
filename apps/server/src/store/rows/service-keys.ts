// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely';
import type { Tables } from '../tables.ts';

export type ServiceKeyRow = Selectable<Tables['service_keys']>;

/** Contents that are encrypted at rest, wherever they are, so that a new key can be used for all. */
export interface EnvelopeRow {
  readonly key_id: string;
  readonly wrapped_key: Uint8Array;
  readonly box: Uint8Array;
}

export function serviceKeyRows(db: Kysely<Tables>) {
  return {
    find: (name: string): Promise<ServiceKeyRow | undefined> =>
      db.selectFrom('service_keys').selectAll().where('name', '=', name).executeTakeFirst(),
    /** The row that is there afterwards: of instances that start at once, one makes the key. */
    async putFirst(row: ServiceKeyRow): Promise<ServiceKeyRow> {
      const insert = db.insertInto('service_keys').values(row);
      await insert.onConflict((c) => c.column('name').doNothing()).execute();
      return db.selectFrom('service_keys').selectAll().where('name', '=', row.name).executeTakeFirstOrThrow();
    },
    sealedOtherwise: (keyId: string): Promise<ServiceKeyRow[]> =>
      db.selectFrom('service_keys').selectAll().where('key_id', '!=', keyId).execute(),
    async reseal(name: string, envelope: EnvelopeRow): Promise<void> {
      await db.updateTable('service_keys').set(envelope).where('name', '=', name).execute();
    },
  };
}
