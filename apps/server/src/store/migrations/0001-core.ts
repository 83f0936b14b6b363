// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts';

/** Devices, enrolments, verdicts, references, operators. */
export const core: Migration = {
  id: '0001-core',
  async up(db, { bytes, long }) {
    const { schema } = db;
    await schema
      .createTable('settings')
      .addColumn('key', 'text', (c) => c.primaryKey())
      .addColumn('value', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('devices')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('revision', long, (c) => c.notNull())
      .addColumn('life', 'text', (c) => c.notNull())
      .addColumn('ek_sha256', 'text', (c) => c.notNull().unique())
      .addColumn('ak_name', 'text', (c) => c.notNull().unique())
      .addColumn('ak_public', bytes, (c) => c.notNull())
      .addColumn('joined_by', 'text', (c) => c.notNull())
      .addColumn('enrolled_at_ms', long, (c) => c.notNull())
      .addColumn('verdict_status', 'text')
      .addColumn('is_trusted', 'integer', (c) => c.notNull())
      .addColumn('attested_at_ms', long)
      .addColumn('trusted_until_ms', long)
      .addColumn('is_stale', 'integer', (c) => c.notNull())
      .addColumn('verdict_sha256', 'text')
      .addColumn('image_name', 'text')
      .addColumn('image_version', 'text')
      .addColumn('boot_log_sha256', 'text')
      .addColumn('state', 'text')
      .addColumn('pinned_system', 'text')
      .execute();
    await schema.createIndex('devices_due').on('devices').columns(['is_stale', 'trusted_until_ms']).execute();
    await schema
      .createTable('device_identities')
      .addColumn('device_id', 'text', (c) => c.primaryKey())
      .addColumn('ek_public', bytes, (c) => c.notNull())
      .addColumn('facts', 'text', (c) => c.notNull())
      .addColumn('ek_certificates', 'text', (c) => c.notNull())
      .addColumn('platform_certificates', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('device_evidence')
      .addColumn('device_id', 'text', (c) => c.primaryKey())
      .addColumn('at_ms', long, (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('enrolments')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('request', 'text', (c) => c.notNull())
      .addColumn('ek_sha256', 'text', (c) => c.notNull())
      .addColumn('ak_name', 'text', (c) => c.notNull())
      .addColumn('ek_facts', 'text', (c) => c.notNull())
      .addColumn('joined_by', 'text', (c) => c.notNull())
      .addColumn('token_id', 'text')
      .addColumn('secret_sha256', 'text', (c) => c.notNull())
      .addColumn('expires_at_ms', long, (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .execute();
    await schema.createIndex('enrolments_by_device').on('enrolments').column('device_id').execute();
    await schema.createIndex('enrolments_by_end').on('enrolments').column('expires_at_ms').execute();
    await schema
      .createTable('used_nonces')
      .addColumn('nonce', 'text', (c) => c.primaryKey())
      .addColumn('expires_at_ms', long, (c) => c.notNull())
      .execute();
    await schema.createIndex('used_nonces_by_end').on('used_nonces').column('expires_at_ms').execute();
    await schema
      .createTable('boot_logs')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('bytes', bytes, (c) => c.notNull())
      .addColumn('created_at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('verdicts')
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('at_ms', long, (c) => c.notNull())
      .addColumn('status', 'text', (c) => c.notNull())
      .addColumn('is_trusted', 'integer', (c) => c.notNull())
      .addColumn('detail_sha256', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('verdicts_key', ['device_id', 'at_ms'])
      .execute();
    await schema
      .createTable('verdict_details')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('body', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('manifests')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('version', 'text', (c) => c.notNull())
      .addColumn('envelope', bytes, (c) => c.notNull())
      .addColumn('life', 'text', (c) => c.notNull())
      .addColumn('retires_at_ms', long)
      .addColumn('added_at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('reference_parts')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('bytes', bytes, (c) => c.notNull())
      .execute();
    await schema
      .createTable('version_floors')
      .addColumn('image', 'text', (c) => c.primaryKey())
      .addColumn('version', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('baselines')
      .addColumn('sha256', 'text', (c) => c.primaryKey())
      .addColumn('vendor', 'text', (c) => c.notNull())
      .addColumn('model', 'text', (c) => c.notNull())
      .addColumn('firmware_version', 'text', (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .addColumn('life', 'text', (c) => c.notNull())
      .addColumn('learned_from', 'text')
      .addColumn('added_at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('policies')
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('version', 'integer', (c) => c.notNull())
      .addColumn('text', 'text', (c) => c.notNull())
      .addColumn('sha256', 'text', (c) => c.notNull())
      .addColumn('is_active', 'integer', (c) => c.notNull())
      .addColumn('added_at_ms', long, (c) => c.notNull())
      .addPrimaryKeyConstraint('policies_key', ['name', 'version'])
      .execute();
    await schema
      .createTable('trust_anchors')
      .addColumn('sha256', 'text', (c) => c.notNull())
      .addColumn('role', 'text', (c) => c.notNull())
      .addColumn('certificate', bytes, (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('not_after_ms', long, (c) => c.notNull())
      .addColumn('added_at_ms', long, (c) => c.notNull())
      .addPrimaryKeyConstraint('trust_anchors_key', ['sha256', 'role'])
      .execute();
    await schema
      .createTable('inventory')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('sha256', 'text', (c) => c.notNull().unique())
      .addColumn('added_at_ms', long, (c) => c.notNull())
      .execute();
    await schema
      .createTable('join_tokens')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('sha256', 'text', (c) => c.notNull().unique())
      .addColumn('device_id', 'text')
      .addColumn('label', 'text', (c) => c.notNull())
      .addColumn('expires_at_ms', long, (c) => c.notNull())
      .addColumn('used_at_ms', long)
      .addColumn('used_by', 'text')
      .addColumn('created_by', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('operators')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull().unique())
      .addColumn('role', 'text', (c) => c.notNull())
      .addColumn('token_sha256', 'text', (c) => c.unique())
      .addColumn('certificate_sha256', 'text', (c) => c.unique())
      .addColumn('created_at_ms', long, (c) => c.notNull())
      .execute();
  },
};
