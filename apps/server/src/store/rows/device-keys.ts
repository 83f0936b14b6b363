// SPDX-License-Identifier: Apache-2.0
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Tables } from '../tables.ts';

type DeviceKeyRow = Selectable<Tables['device_keys']>;

/** A device's keys and how long its newest certificate is good, in one statement: each attestation asks. */
export interface GrantState {
  readonly clientSpki: Uint8Array | undefined;
  readonly decryptionSpki: Uint8Array | undefined;
  /** Of the newest client certificate that is not revoked. */
  readonly certificateEndsAtMs: number | undefined;
  /** When those end that were good when somebody last looked, and those issued since; undefined until then. */
  readonly validEndsMs?: readonly number[] | undefined;
}

export function deviceKeyRows(db: Kysely<Tables>) {
  return {
    async state(deviceId: string): Promise<GrantState> {
      const { rows } = await sql<{ use: string; spki: Uint8Array; ends_at_ms: number | null }>`/* grant_state */
        select use, spki, (select max(not_after_ms) from certificates
          where device_id = ${deviceId} and authority = 'client' and revoked_at_ms is null) as ends_at_ms
        from device_keys where device_id = ${deviceId}`.execute(db);
      const spkiOf = (use: string): Uint8Array | undefined => {
        const row = rows.find((one) => one.use === use);
        return row === undefined ? undefined : Uint8Array.from(row.spki);
      };
      return {
        clientSpki: spkiOf('client'),
        decryptionSpki: spkiOf('decryption'),
        certificateEndsAtMs: rows[0]?.ends_at_ms ?? undefined,
      };
    },
    async put(row: DeviceKeyRow): Promise<void> {
      const { spki, certified_at_ms } = row;
      await db
        .insertInto('device_keys')
        .values(row)
        .onConflict((c) => c.columns(['device_id', 'use']).doUpdateSet({ spki, certified_at_ms }))
        .execute();
    },
    async removeOf(deviceId: string): Promise<void> {
      await db.deleteFrom('device_keys').where('device_id', '=', deviceId).execute();
    },
  };
}
