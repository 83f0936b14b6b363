// SPDX-License-Identifier: Apache-2.0
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.ts';

/** Grows with each change of what verdicts depend on: references, baselines, policies, trust. */
const GENERATION = 'generation';

export function settingRows(db: Kysely<Tables>) {
  return {
    async find(key: string): Promise<string | undefined> {
      const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst();
      return row?.value;
    },
    async put(key: string, value: string): Promise<void> {
      await db
        .insertInto('settings')
        .values({ key, value })
        .onConflict((c) => c.column('key').doUpdateSet({ value }))
        .execute();
    },
    /** The value that is there afterwards: whoever came first put it. */
    async putFirst(key: string, value: string): Promise<string> {
      const insert = db.insertInto('settings').values({ key, value });
      await insert.onConflict((c) => c.column('key').doNothing()).execute();
      return (await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirstOrThrow()).value;
    },
    async generation(): Promise<number> {
      return Number((await this.find(GENERATION)) ?? '0');
    },
    /** Every change of a reference, policy or trust anchor says so in its own transaction. */
    async bumpGeneration(): Promise<void> {
      await db
        .insertInto('settings')
        .values({ key: GENERATION, value: '1' })
        .onConflict((c) =>
          c.column('key').doUpdateSet({ value: sql<string>`cast(cast(settings.value as integer) + 1 as text)` }),
        )
        .execute();
    },
  };
}
