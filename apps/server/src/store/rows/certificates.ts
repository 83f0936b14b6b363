// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely';
import { type Dialect, rowsOf } from '../dialect.ts';
import type { CertificateTable } from '../grant-tables.ts';
import type { Tables } from '../tables.ts';

export type CertificateRow = Selectable<CertificateTable>;
export type AuthorityName = CertificateTable['authority'];
export type RevocationListRow = Selectable<Tables['revocation_lists']>;

/** A certificate and its device as both stand now. */
export interface PresentedCertificate extends CertificateRow {
  life: string;
  verdict_status: string | null;
  is_trusted: number;
  trusted_until_ms: number | null;
  image_name: string | null;
  image_version: string | null;
}

export function certificateRows(db: Kysely<Tables>, dialect: Dialect) {
  /** The next list tells of what changed. */
  const bump = async (authority: AuthorityName): Promise<void> => {
    await db
      .insertInto('revocation_lists')
      .values({ authority, revision: 1, listed_revision: 0, number: 0, der: null, this_update_ms: 0 })
      .onConflict((c) => c.column('authority').doUpdateSet({ revision: sql<number>`revocation_lists.revision + 1` }))
      .execute();
  };
  return {
    async insert(row: CertificateRow): Promise<void> {
      await db.insertInto('certificates').values(row).execute();
    },
    /** Many, none with its DER, by one statement. */
    async insertAll(rows: readonly Omit<CertificateRow, 'der'>[]): Promise<void> {
      if (rows.length === 0) return;
      const columns = {
        serial: 'text',
        authority: 'text',
        device_id: 'text',
        sha256: 'text',
        issued_at_ms: 'bigint',
        not_after_ms: 'bigint',
        revoked_at_ms: 'bigint',
        reason: 'text',
      } as const;
      const names = sql.raw(Object.keys(columns).join(', '));
      await sql`/* certificates_insert */ insert into certificates (${names})
        select ${names} from ${rowsOf(dialect, columns, rows)} where true`.execute(db);
    },
    /** The newest of a device that is not revoked. */
    newest: (deviceId: string, authority: AuthorityName): Promise<CertificateRow | undefined> =>
      db
        .selectFrom('certificates')
        .selectAll()
        .where('device_id', '=', deviceId)
        .where('authority', '=', authority)
        .where('revoked_at_ms', 'is', null)
        .orderBy('not_after_ms', 'desc')
        .limit(1)
        .executeTakeFirst(),
    /** Of a machine's client certificates that are good now, when each ends: the last so many. */
    async validEnds(deviceId: string, nowMs: number, limit: number): Promise<number[]> {
      const rows = await db
        .selectFrom('certificates')
        .select('not_after_ms')
        .where('device_id', '=', deviceId)
        .where('authority', '=', 'client')
        .where('revoked_at_ms', 'is', null)
        .where('not_after_ms', '>', nowMs)
        .orderBy('not_after_ms', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => row.not_after_ms);
    },
    list: (deviceId: string): Promise<CertificateRow[]> =>
      db
        .selectFrom('certificates')
        .selectAll()
        .where('device_id', '=', deviceId)
        .orderBy('issued_at_ms', 'desc')
        .limit(100)
        .execute(),
    /** One statement, as each request to a proxy asks this. */
    presented: (sha256: string): Promise<PresentedCertificate | undefined> =>
      db
        .selectFrom('certificates')
        .innerJoin('devices', 'devices.id', 'certificates.device_id')
        .selectAll('certificates')
        .select(['life', 'verdict_status', 'is_trusted', 'trusted_until_ms', 'image_name', 'image_version'])
        .where('certificates.sha256', '=', sha256)
        .where('certificates.authority', '=', 'client')
        .executeTakeFirst(),
    /** Revokes what is valid of a device. @returns how many certificates that were */
    async revokeAll(
      deviceId: string,
      authorities: readonly AuthorityName[],
      nowMs: number,
      reason: string,
    ): Promise<number> {
      let revoked = 0;
      for (const authority of authorities) {
        const result = await db
          .updateTable('certificates')
          .set({ revoked_at_ms: nowMs, reason })
          .where('device_id', '=', deviceId)
          .where('authority', '=', authority)
          .where('revoked_at_ms', 'is', null)
          .where('not_after_ms', '>', nowMs)
          .executeTakeFirst();
        const count = Number(result.numUpdatedRows);
        if (count > 0) await bump(authority);
        revoked += count;
      }
      return revoked;
    },
    /** What a list has to name: revoked, and not expired when the last list was made (RFC 5280, 3.3). */
    revoked: (authority: AuthorityName, endsAfterMs: number): Promise<CertificateRow[]> =>
      db
        .selectFrom('certificates')
        .selectAll()
        .where('authority', '=', authority)
        .where('revoked_at_ms', 'is not', null)
        .where('not_after_ms', '>', endsAfterMs)
        .orderBy('revoked_at_ms')
        .orderBy('serial')
        .execute(),
    revocationList: (authority: AuthorityName): Promise<RevocationListRow | undefined> =>
      db.selectFrom('revocation_lists').selectAll().where('authority', '=', authority).executeTakeFirst(),
    /** False when another instance has made a list meanwhile: numbers grow by one, and none is used twice. */
    async putRevocationList(row: Omit<RevocationListRow, 'revision'>): Promise<boolean> {
      const { authority, number } = row;
      await db
        .insertInto('revocation_lists')
        .values({ authority, revision: 0, listed_revision: 0, number: 0, der: null, this_update_ms: 0 })
        .onConflict((c) => c.column('authority').doNothing())
        .execute();
      const result = await db
        .updateTable('revocation_lists')
        .set(row)
        .where('authority', '=', authority)
        .where('number', '=', number - 1)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    /** Forgets certificates that ended long ago. */
    async removeEnded(beforeMs: number): Promise<number> {
      const result = await db.deleteFrom('certificates').where('not_after_ms', '<', beforeMs).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
