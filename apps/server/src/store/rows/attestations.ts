// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import { type Dialect, forUpdate, rowsOf } from '../dialect.ts';
import type { Tables } from '../tables.ts';

/** All that one accepted attestation writes. Either all of it is there, or none. */
export interface AttestationRecord {
  readonly deviceId: string;
  /** The device as it was when the evidence was appraised. */
  readonly revision: number;
  /** The references and policies that were used; see `settings.generation`. */
  readonly generation: number;
  /** Hexadecimal. */
  readonly nonce: string;
  readonly nonceExpiresAtMs: number;
  readonly atMs: number;
  readonly status: 'affirming' | 'warning' | 'contraindicated';
  readonly isTrusted: boolean;
  readonly trustedUntilMs: number;
  readonly detail: { readonly sha256: string; readonly body: string };
  readonly imageName: string | null;
  readonly imageVersion: string | null;
  readonly bootLogSha256: string | null;
  /** JSON. */
  readonly state: string;
  /** JSON: what the boot came to, when it is another than the device has. */
  readonly settled?: string | undefined;
  /** Of that which the device has then. */
  readonly settledSha256: string | undefined;
  /** Verdict, image and boot log are those that the device has: only its times are written. */
  readonly isSame: boolean;
}

export type RecordOutcome =
  | 'recorded'
  | 'device_changed' // somebody changed the device meanwhile: look again
  | 'references_changed' // somebody changed a reference or a policy: appraise again
  | 'nonce_used';

/** The verdicts of a transaction in the audit log: the entry that stands for them, and which they are. */
export type GroupVerdicts = (records: readonly AttestationRecord[]) => {
  readonly entry: { readonly id: string; readonly leaf: string };
  readonly members: string;
};

/** What became of each record, and what the audit log is to be told of those that were recorded. */
export interface Recorded {
  readonly outcomes: readonly RecordOutcome[];
  readonly entries: readonly { readonly id: string; readonly leaf: string }[];
}

/** Details that are surely in the database, so that they need not be sent again; bounded. */
const MAX_KNOWN_DETAILS = 4096;
/** So long they are believed to be there: what is not said again is forgotten one day (see `forgetOld`). */
const KNOWN_MS = 3_600_000;
interface KnownDetails {
  readonly sinceMs: number;
  readonly sha256: Set<string>;
}
const knownDetails = new WeakMap<object, KnownDetails>();

function knownAt(owner: object, nowMs: number): KnownDetails {
  const found = knownDetails.get(owner);
  if (found !== undefined && Math.abs(nowMs - found.sinceMs) < KNOWN_MS) return found;
  const fresh = { sinceMs: nowMs, sha256: new Set<string>() };
  knownDetails.set(owner, fresh);
  return fresh;
}

/**
 * Records many attestations with a handful of statements whose texts never change. Rows are locked in the order of their
 * ids, so that two instances cannot wait for each other.
 * @param owner of the memory of what is in the database: the store.
 */
export function attestationRows(db: Kysely<Tables>, dialect: Dialect, owner: object) {
  return {
    async record(records: readonly AttestationRecord[], groupVerdicts: GroupVerdicts): Promise<Recorded> {
      const current = await lock(db, dialect, records);
      const seen = new Set<string>();
      const outcomes = records.map((record): RecordOutcome => {
        const row = current.get(record.deviceId);
        // Two of one device in a group: the second is appraised again upon the first.
        if (row === undefined || row.revision !== record.revision || seen.has(record.deviceId)) return 'device_changed';
        if (Number(row.generation ?? '0') !== record.generation) return 'references_changed';
        seen.add(record.deviceId);
        return 'recorded';
      });
      const candidates = records.filter((_, i) => outcomes[i] === 'recorded');
      const fresh = await useNonces(db, dialect, candidates);
      const accepted = candidates.filter(({ nonce }) => fresh.has(nonce));
      for (const [i, { nonce }] of records.entries()) {
        if (outcomes[i] === 'recorded' && !fresh.has(nonce)) outcomes[i] = 'nonce_used';
      }
      if (accepted.length === 0) return { outcomes, entries: [] };
      const { entry, members } = groupVerdicts(accepted);
      await sql`/* attest_group */ insert into verdict_groups (entry_id, members) values (${entry.id}, ${members})`.execute(
        db,
      );
      await write(db, dialect, accepted, { owner, entryId: entry.id });
      return { outcomes, entries: [entry] };
    },
    async removeOldNonces(nowMs: number): Promise<void> {
      await db.deleteFrom('used_nonces').where('expires_at_ms', '<', nowMs).execute();
    },
    /** What was recorded is in the database for good: see `knownDetails`. */
    committed(records: readonly AttestationRecord[]): void {
      for (const { detail, atMs } of records) {
        const known = knownAt(owner, atMs).sha256;
        if (known.size >= MAX_KNOWN_DETAILS) known.delete(known.values().next().value as string);
        known.add(detail.sha256);
      }
    },
  };
}

interface Locked {
  id: string;
  revision: number;
  generation: string | null;
}

async function lock(
  db: Kysely<Tables>,
  dialect: Dialect,
  records: readonly AttestationRecord[],
): Promise<Map<string, Locked>> {
  const rows = rowsOf(
    dialect,
    { id: 'text' },
    [...new Set(records.map(({ deviceId }) => deviceId))].map((id) => ({ id })),
  );
  const { rows: found } = await sql<Locked>`/* attest_lock */ select id, revision,
    (select value from settings where key = 'generation') as generation
    from devices where id in (select rows.id from ${rows}) order by id${forUpdate(dialect)}`.execute(db);
  return new Map(found.map((row) => [row.id, row]));
}

async function useNonces(
  db: Kysely<Tables>,
  dialect: Dialect,
  records: readonly AttestationRecord[],
): Promise<Set<string>> {
  if (records.length === 0) return new Set();
  const rows = rowsOf(
    dialect,
    { nonce: 'text', expires_at_ms: 'bigint' },
    records.map(({ nonce, nonceExpiresAtMs }) => ({ nonce, expires_at_ms: nonceExpiresAtMs })),
  );
  const { rows: inserted } = await sql<{
    nonce: string;
  }>`/* attest_nonce */ insert into used_nonces (nonce, expires_at_ms)
    select nonce, expires_at_ms from ${rows} where true on conflict (nonce) do nothing returning nonce`.execute(db);
  return new Set(inserted.map(({ nonce }) => nonce));
}

async function write(
  db: Kysely<Tables>,
  dialect: Dialect,
  records: readonly AttestationRecord[],
  { owner, entryId }: { readonly owner: object; readonly entryId: string },
): Promise<void> {
  const details = new Map(records.map(({ detail, atMs }) => [detail.sha256, { ...detail, used_at_ms: atMs }]));
  for (const [sha256, { used_at_ms }] of details)
    if (knownAt(owner, used_at_ms).sha256.has(sha256)) details.delete(sha256);
  if (details.size > 0) {
    const columns = { sha256: 'text', body: 'text', used_at_ms: 'bigint' } as const;
    // In order, so that two instances cannot wait for each other.
    await sql`/* attest_detail */ insert into verdict_details (sha256, body, used_at_ms)
      select sha256, body, used_at_ms from ${rowsOf(dialect, columns, [...details.values()])} where true order by sha256
      on conflict (sha256) do update set used_at_ms = excluded.used_at_ms`.execute(db);
  }
  const values = records.map((record) => ({
    id: record.deviceId,
    at_ms: record.atMs,
    status: record.status,
    is_trusted: record.isTrusted ? 1 : 0,
    detail: record.detail.sha256,
    until_ms: record.trustedUntilMs,
    image_name: record.imageName,
    image_version: record.imageVersion,
    boot_log: record.bootLogSha256,
    state: record.state,
    isSame: record.isSame,
  }));
  const columns = { id: 'text', at_ms: 'bigint', status: 'text', is_trusted: 'bigint', detail: 'text' } as const;
  await sql`/* attest_verdict */ insert into verdicts (device_id, at_ms, status, is_trusted, detail_sha256, audit_entry)
    select id, at_ms, status, is_trusted, detail, cast(${entryId} as text) from ${rowsOf(dialect, columns, values)} where true`.execute(
    db,
  );
  const settled = records.flatMap((one) => (one.settled === undefined ? [] : [{ ...one, settled: one.settled }]));
  if (settled.length > 0) {
    const boots = settled.map((one) => ({ id: one.deviceId, settled: one.settled }));
    await sql`/* attest_boot */ insert into device_boots (device_id, settled)
      select id, settled from ${rowsOf(dialect, { id: 'text', settled: 'text' }, boots)} where true
      on conflict (device_id) do update set settled = excluded.settled`.execute(db);
  }
  await updateDevices(db, dialect, values);
}

type DeviceValues = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly at_ms: number;
  readonly until_ms: number;
  readonly state: string;
  readonly isSame: boolean;
};

/** Where little has changed little is written: each column that is in an index costs a place in it. */
async function updateDevices(db: Kysely<Tables>, dialect: Dialect, values: readonly DeviceValues[]): Promise<void> {
  const times = { id: 'text', at_ms: 'bigint', until_ms: 'bigint', state: 'text' } as const;
  const same = values.flatMap(({ id, at_ms, until_ms, state, isSame }) =>
    isSame ? [{ id, at_ms, until_ms, state }] : [],
  );
  if (same.length > 0) {
    await sql`/* attest_same */ update devices set revision = devices.revision + 1, attested_at_ms = rows.at_ms,
      trusted_until_ms = rows.until_ms, state = rows.state
      from ${rowsOf(dialect, times, same)} where devices.id = rows.id`.execute(db);
  }
  const changed = values.filter(({ isSame }) => !isSame);
  if (changed.length === 0) return;
  const all = {
    ...times,
    status: 'text',
    is_trusted: 'bigint',
    detail: 'text',
    image_name: 'text',
    image_version: 'text',
    boot_log: 'text',
  } as const;
  await sql`/* attest_device */ update devices set revision = devices.revision + 1, verdict_status = rows.status,
    is_trusted = rows.is_trusted, attested_at_ms = rows.at_ms, trusted_until_ms = rows.until_ms, is_stale = 0,
    verdict_sha256 = rows.detail, image_name = rows.image_name, image_version = rows.image_version,
    boot_log_sha256 = rows.boot_log, state = rows.state
    from ${rowsOf(dialect, all, changed)} where devices.id = rows.id`.execute(db);
}
