// SPDX-License-Identifier: Apache-2.0
import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** Certificates, secrets, the audit log, webhooks. */
export const grants: Migration = {
  id: '0002-grants',
  async up(db, { bytes, long }) {
    const { schema } = db;
    await schema
      .createTable('service_keys')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('wrapped_key', bytes, (c) => c.notNull())
      .addColumn('box', bytes, (c) => c.notNull())
      .addColumn('certificate', bytes)
      .addColumn('created_at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('device_keys')
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('use', 'text', (c) => c.notNull())
      .addColumn('spki', bytes, (c) => c.notNull())
      .addColumn('certified_at_ms', long, (c) => c.notNull())
      .addPrimaryKeyConstraint('device_keys_key', ['device_id', 'use'])
      .execute();
    await schema
      .createTable('certificates')
      .addColumn('serial', 'text', (c) => c.primaryKey())
      .addColumn('authority', 'text', (c) => c.notNull())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('sha256', 'text', (c) => c.notNull().unique())
      .addColumn('issued_at_ms', long, (c) => c.notNull())
      .addColumn('not_after_ms', long, (c) => c.notNull())
      .addColumn('revoked_at_ms', long)
      .addColumn('der', bytes)
      .addColumn('reason', 'text')
      .execute();
    await schema.createIndex('certificates_device').on('certificates').columns(['device_id', 'authority']).execute();
    await schema.createIndex('certificates_end').on('certificates').column('not_after_ms').execute();
    await schema
      .createIndex('certificates_revoked')
      .on('certificates')
      .columns(['authority', 'revoked_at_ms'])
      .where(sql.ref('revoked_at_ms'), 'is not', null)
      .execute();
    await schema
      .createTable('revocation_lists')
      .addColumn('authority', 'text', (c) => c.primaryKey())
      .addColumn('revision', long, (c) => c.notNull())
      .addColumn('listed_revision', long, (c) => c.notNull())
      .addColumn('number', long, (c) => c.notNull())
      .addColumn('der', bytes)
      .addColumn('this_update_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('secrets')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('version', long, (c) => c.notNull())
      .addColumn('policy_name', 'text', (c) => c.notNull())
      .addColumn('policy_text', 'text', (c) => c.notNull())
      .addColumn('updated_at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('secret_versions')
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('version', long, (c) => c.notNull())
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('wrapped_key', bytes, (c) => c.notNull())
      .addColumn('box', bytes, (c) => c.notNull())
      .addColumn('created_at_ms', long, (c) => c.notNull())
      .addColumn('created_by', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('secret_versions_key', ['name', 'version'])
      .execute();
    await schema
      .createTable('audit_entries')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('leaf', 'text', (c) => c.notNull())
      .addColumn('place', long, (c) => c.unique())
      .execute();
    await schema
      .createIndex('audit_waiting')
      .on('audit_entries')
      .column('id')
      .where(sql.ref('place'), 'is', null)
      .execute();
    await schema
      .createTable('audit_log')
      .addColumn('origin', 'text', (c) => c.primaryKey())
      .addColumn('nodes', 'text', (c) => c.notNull())
      .addColumn('size', long, (c) => c.notNull())
      .addColumn('first', long, (c) => c.notNull())
      .addColumn('first_nodes', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('audit_nodes')
      .addColumn('level', long, (c) => c.notNull())
      .addColumn('position', long, (c) => c.notNull())
      .addColumn('hash', bytes, (c) => c.notNull())
      .addPrimaryKeyConstraint('audit_nodes_key', ['level', 'position'])
      .execute();
    await schema
      .createTable('audit_heads')
      .addColumn('size', long, (c) => c.primaryKey())
      .addColumn('note', 'text', (c) => c.notNull())
      .addColumn('at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('webhooks')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('url', 'text', (c) => c.notNull())
      .addColumn('kinds', 'text', (c) => c.notNull())
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('wrapped_key', bytes, (c) => c.notNull())
      .addColumn('box', bytes, (c) => c.notNull())
      .addColumn('next_place', long, (c) => c.notNull())
      .addColumn('failures', long, (c) => c.notNull())
      .addColumn('next_at_ms', long, (c) => c.notNull())
      .addColumn('last_error', 'text')
      .addColumn('created_at_ms', long, (c) => c.notNull())
      .execute();
  },
};
