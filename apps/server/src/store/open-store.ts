// SPDX-License-Identifier: Apache-2.0
import { CompiledQuery, Kysely } from 'kysely';
import { ServerError } from '../error.ts';
import type { AttestationEffects } from './attestation-effects.ts';
import { databaseFaultOf } from './database-fault.ts';
import type { Dialect } from './dialect.ts';
import { createGroupCommit } from './group-commit.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/all.ts';
import { postgresDialect } from './postgres-dialect.ts';
import type { AttestationRecord, GroupVerdicts, RecordOutcome } from './rows/attestations.ts';
import { type Rows, rowsOn } from './rows.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { Tables } from './tables.ts';

export interface Store {
  readonly dialect: Dialect;
  /** What is committed. */
  readonly read: Rows;
  /**
   * Runs in a transaction that others may share; resolves when it is on the disk. The work may run again when the group
   * fails, so it must do nothing but read and write here, and what it throws undoes it alone.
   */
  write<T>(work: (tx: Rows) => Promise<T>): Promise<T>;
  /** Records a verdict together with those of other machines, and what follows from it in the same transaction. */
  recordAttestation(record: AttestationRecord, effects?: AttestationEffects): Promise<RecordOutcome>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Attestations that one statement records. */
const MAX_RECORDS = 256;

/**
 * Opens a database, makes or brings forward its schema.
 * @param url `postgres://…`, or `sqlite:PATH`.
 * @param groupVerdicts makes the entry of the audit log for the verdicts of a transaction
 * @throws {ServerError} 'configuration_invalid', 'database_…'
 */
export async function openStore(url: string, nowMs: number, groupVerdicts: GroupVerdicts): Promise<Store> {
  const { dialect, writer, reader } = connect(url);
  try {
    await migrate(writer as unknown as Kysely<unknown>, dialect, MIGRATIONS, nowMs);
  } catch (cause) {
    await writer.destroy();
    if (cause instanceof ServerError) throw cause;
    const fault = databaseFaultOf(cause);
    const next = fault === undefined ? '' : `; ${fault.hint}`;
    throw new ServerError(
      fault?.code ?? 'database_unavailable',
      `the database cannot be opened: ${messageOf(cause)}${next}`,
      { cause },
    );
  }
  const owner = {};
  const group = createGroupCommit<Rows>((run) => writer.transaction().execute((tx) => run(rowsOn(tx, dialect, owner))));
  const records = createRecorder(group.run, groupVerdicts);
  return {
    dialect,
    read: rowsOn(reader, dialect, owner),
    write: group.run,
    recordAttestation: records,
    ping: async () => {
      await reader.executeQuery(CompiledQuery.raw('select 1'));
    },
    close: async () => {
      await group.idle();
      if (reader !== writer) await reader.destroy();
      await writer.destroy();
    },
  };
}

function connect(url: string): { dialect: Dialect; writer: Kysely<Tables>; reader: Kysely<Tables> } {
  if (/^postgres(ql)?:\/\//.test(url)) {
    const db = new Kysely<Tables>({ dialect: postgresDialect(url) });
    return { dialect: 'postgres', writer: db, reader: db };
  }
  const path = /^sqlite:(.+)$/.exec(url)?.[1];
  if (path === undefined) {
    throw new ServerError('configuration_invalid', 'expected a database postgres://… or sqlite:PATH, found another');
  }
  return {
    dialect: 'sqlite',
    writer: new Kysely<Tables>({ dialect: sqliteDialect(path, 'write') }),
    reader: new Kysely<Tables>({ dialect: sqliteDialect(path, 'read') }),
  };
}

interface Waiting {
  readonly record: AttestationRecord;
  readonly effects: AttestationEffects;
  resolve(outcome: RecordOutcome): void;
  reject(error: unknown): void;
}

/** Attestations that come while a group is being committed are recorded together in the next, by one set of statements. */
function createRecorder(run: Store['write'], groupVerdicts: GroupVerdicts): Store['recordAttestation'] {
  let waiting: Waiting[] = [];
  let isScheduled = false;

  async function flush(): Promise<void> {
    let batch: Waiting[] | undefined;
    const take = (): Waiting[] => {
      const taken = waiting.slice(0, MAX_RECORDS);
      waiting = waiting.slice(MAX_RECORDS);
      isScheduled = false;
      if (waiting.length > 0) schedule();
      return taken;
    };
    try {
      const outcomes = await run(async (tx) => {
        batch ??= take();
        const { outcomes: found, entries } = await tx.attestations.record(
          batch.map(({ record }) => record),
          groupVerdicts,
        );
        const effects = batch.flatMap((one, i) => (found[i] === 'recorded' ? [one.effects] : []));
        for (const one of effects) await one.also?.(tx);
        await tx.certificates.insertAll(effects.flatMap(({ certificates }) => certificates));
        await tx.audit.append([...entries, ...effects.flatMap(({ audit }) => audit)]);
        return { found, tx };
      });
      const done = batch ?? [];
      outcomes.tx.attestations.committed(done.filter((_, i) => outcomes.found[i] === 'recorded').map((w) => w.record));
      for (const [i, { resolve }] of done.entries()) resolve(outcomes.found[i] ?? 'device_changed');
    } catch (error) {
      for (const { reject } of batch ?? take()) reject(error);
    }
  }

  const schedule = (): void => {
    isScheduled = true;
    void flush();
  };

  return (record, effects = { certificates: [], audit: [] }) =>
    new Promise<RecordOutcome>((resolve, reject) => {
      waiting.push({ record, effects, resolve, reject });
      if (!isScheduled) schedule();
    });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
