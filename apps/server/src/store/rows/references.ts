// SPDX-License-Identifier: Apache-2.0
import type { Kysely, Selectable } from 'kysely';
import type { Tables } from '../tables.ts';

export type ManifestRow = Selectable<Tables['manifests']>;
export type BaselineRow = Selectable<Tables['baselines']>;

/** What evidence is compared with. Who changes it calls `settings.bumpGeneration` in the same transaction. */
export function referenceRows(db: Kysely<Tables>) {
  return {
    manifests: (): Promise<ManifestRow[]> =>
      db.selectFrom('manifests').selectAll().orderBy('name').orderBy('added_at_ms').execute(),
    manifest: (sha256: string): Promise<ManifestRow | undefined> =>
      db.selectFrom('manifests').selectAll().where('sha256', '=', sha256).executeTakeFirst(),
    async insertManifest(row: Tables['manifests']): Promise<boolean> {
      const insert = db.insertInto('manifests').values(row);
      const result = await insert.onConflict((c) => c.column('sha256').doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async setManifestLife(sha256: string, life: ManifestRow['life'], retiresAtMs: number | null): Promise<void> {
      const change = { life, retires_at_ms: retiresAtMs };
      await db.updateTable('manifests').set(change).where('sha256', '=', sha256).execute();
    },
    async part(sha256: string): Promise<Uint8Array | undefined> {
      const found = db.selectFrom('reference_parts').select('bytes').where('sha256', '=', sha256);
      return (await found.executeTakeFirst())?.bytes;
    },
    async partNames(): Promise<Set<string>> {
      const rows = await db.selectFrom('reference_parts').select('sha256').execute();
      return new Set(rows.map(({ sha256 }) => sha256));
    },
    async putPart(sha256: string, bytes: Uint8Array): Promise<void> {
      const insert = db.insertInto('reference_parts').values({ sha256, bytes });
      await insert.onConflict((c) => c.column('sha256').doNothing()).execute();
    },
    floors: () => db.selectFrom('version_floors').selectAll().orderBy('image').execute(),
    async putFloor(image: string, version: string): Promise<void> {
      const insert = db.insertInto('version_floors').values({ image, version });
      await insert.onConflict((c) => c.column('image').doUpdateSet({ version })).execute();
    },
    baselines: (): Promise<BaselineRow[]> =>
      db.selectFrom('baselines').selectAll().orderBy('vendor').orderBy('model').orderBy('added_at_ms').execute(),
    async insertBaseline(row: Tables['baselines']): Promise<boolean> {
      const insert = db.insertInto('baselines').values(row);
      const result = await insert.onConflict((c) => c.column('sha256').doNothing()).executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async setBaselineLife(sha256: string, life: BaselineRow['life']): Promise<boolean> {
      const update = db.updateTable('baselines').set({ life }).where('sha256', '=', sha256);
      return (await update.executeTakeFirst()).numUpdatedRows === 1n;
    },
  };
}
