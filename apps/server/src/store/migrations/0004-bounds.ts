// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts';

/** What is looked for so that one machine keeps one of a thing: its boot log, its enrolment that waits. */
export const bounds: Migration = {
  id: '0004-bounds',
  async up(db) {
    await db.schema.createIndex('devices_boot_log').on('devices').column('boot_log_sha256').execute();
    await db.schema.createIndex('enrolments_by_ek').on('enrolments').column('ek_sha256').execute();
  },
};
