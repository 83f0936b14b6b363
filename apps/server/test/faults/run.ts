// SPDX-License-Identifier: Apache-2.0
// npm run faults -- [kill] [--minutes N] [--database URL]: kills a service for so long; see kill-rounds.ts.
// npm run faults -- idle [--connections N]: see idle-connections.ts.
// npm run faults -- away [--seconds N]: a PostgreSQL that is gone for so long; see database-away.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../support/postgres.ts';
import { databaseAway } from './database-away.ts';
import { idleConnections } from './idle-connections.ts';
import { killRounds } from './kill-rounds.ts';

const MINUTE_MS = 60_000;
const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: text, database: text, connections: text, seconds: text },
});

const SCENARIOS: Readonly<Record<string, (stateDir: string) => Promise<unknown>>> = {
  kill: (stateDir) => {
    const endMs = performance.now() + Number(values.minutes ?? '60') * MINUTE_MS;
    return killRounds({
      stateDir,
      databaseUrl: values.database,
      isEnough: () => performance.now() > endMs,
      onRound: (told) => console.error(JSON.stringify(told)),
    });
  },
  idle: (stateDir) => idleConnections(stateDir, Number(values.connections ?? '10000')),
  away: async (stateDir) => {
    const ends: (() => Promise<void> | void)[] = [];
    try {
      const postgres = await startPostgres({ after: (end) => void ends.push(end) });
      return await databaseAway(postgres, stateDir, Number(values.seconds ?? '60') * 1000);
    } finally {
      for (const end of ends) await end();
    }
  },
};

const [name = 'kill'] = positionals;
const scenario = SCENARIOS[name];
if (scenario === undefined) throw new Error(`expected ${Object.keys(SCENARIOS).join(', ')}, found ${name}`);
const stateDir = mkdtempSync(join(tmpdir(), 'vouchsafe-faults-'));
const report = await scenario(stateDir);
// What was lost stays to be looked at: this is not reached then.
rmSync(stateDir, { recursive: true });
console.log(JSON.stringify(report));
