// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts';

/** The verdicts that an entry of the audit log stands for. Verdicts from before have no entry. */
export const verdictGroups: Migration = {
  id: '0006-verdict-groups',
  async up(db) {
    await db.schema.alterTable('verdicts').addColumn('audit_entry', 'text').execute();
    await db.schema
      .createTable('verdict_groups')
      .addColumn('entry_id', 'text', (c) => c.primaryKey())
      .addColumn('members', 'text', (c) => c.notNull())
      .execute();
  },
};
