// SPDX-License-Identifier: Apache-2.0
// npm run faults -- [--minutes N] [--database URL]: kills a service for so long; see kill-rounds.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killRounds } from './kill-rounds.ts';

const MINUTE_MS = 60_000;
const { values } = parseArgs({ options: { minutes: { type: 'string' }, database: { type: 'string' } } });
const endMs = performance.now() + Number(values.minutes ?? '60') * MINUTE_MS;
const stateDir = mkdtempSync(join(tmpdir(), 'vouchsafe-faults-'));
const report = await killRounds({
  stateDir,
  databaseUrl: values.database,
  isEnough: () => performance.now() > endMs,
  onRound: (told) => console.error(JSON.stringify(told)),
});
// What was lost stays to be looked at: this is not reached then.
rmSync(stateDir, { recursive: true });
console.log(JSON.stringify(report));
