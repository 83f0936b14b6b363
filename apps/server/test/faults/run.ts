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

/** A run that never ends, or makes nothing, would look as if all were well. */
function amount(name: 'minutes' | 'connections' | 'seconds', otherwise: number): number {
  const given = Number(values[name] ?? otherwise);
  if (!(given > 0)) throw new Error(`--${name}: expected a number above 0, found ${values[name]}`);
  return given;
}

const SCENARIOS: Readonly<Record<string, (stateDir: string) => Promise<unknown>>> = {
  kill: (stateDir) => {
    const endMs = performance.now() + amount('minutes', 60) * MINUTE_MS;
    return killRounds({
      stateDir,
      databaseUrl: values.database,
      isEnough: () => performance.now() > endMs,
      onRound: (told) => console.error(JSON.stringify(told)),
    });
  },
  idle: (stateDir) => idleConnections(stateDir, amount('connections', 10_000)),
  away: async (stateDir) => {
    const ends: (() => Promise<void> | void)[] = [];
    try {
      const postgres = await startPostgres({ after: (end) => void ends.push(end) });
      return await databaseAway(postgres, stateDir, amount('seconds', 60) * 1000);
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
