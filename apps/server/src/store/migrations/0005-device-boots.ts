// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts';

/**
 * What a device's boot came to, apart from its row: it is most of the state, and stays as it is for as long as the machine runs,
 * where the row is written at each attestation. States that hold it themselves, as before, are still read.
 */
export const deviceBoots: Migration = {
  id: '0005-device-boots',
  async up(db) {
    await db.schema
      .createTable('device_boots')
      .addColumn('device_id', 'text', (c) => c.primaryKey())
      .addColumn('settled', 'text', (c) => c.notNull())
      .execute();
  },
};
