// SPDX-License-Identifier: Apache-2.0
/** npm run bench -- NAME [--json] [--quick] [--runs N] [--only ROW] [--profile DIR]: our times; without a name, the names. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBenches } from './bench/find-benches.ts';
import { formatBench } from './bench/format.ts';
import { runBench } from './bench/run-bench.ts';
import { formatSurvey, runSurvey } from './bench/run-survey.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MIN_RUNS = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    quick: { type: 'boolean' },
    runs: { type: 'string' },
    only: { type: 'string' },
    profile: { type: 'string' },
  },
});
const [name] = positionals;
const benches = await findBenches(ROOT);
const bench = name === undefined ? undefined : benches.get(name);
const runs = Math.max(MIN_RUNS, Number(values.runs ?? MIN_RUNS) || 0);

if (bench === undefined) {
  const list = [...benches.values()].map((b) => `  ${b.name.padEnd(16)} ${b.description}`).join('\n');
  console.error(
    `${name === undefined ? 'usage: npm run bench -- NAME [--json] [--quick] [--runs N]' : `no benchmark ${name}`}\n${list}`,
  );
  process.exitCode = 2;
} else if ('survey' in bench) {
  const { only, profile: profileDir, quick: isQuick = false } = values;
  const document = await runSurvey(bench, { only, profileDir, isQuick, onCase: (row) => console.error(`… ${row}`) });
  console.log(values.json ? JSON.stringify(document, null, 2) : formatSurvey(document));
} else {
  const document = await runBench(bench, {
    runs,
    isQuick: values.quick ?? false,
    onCase: (caseName) => console.error(`… ${caseName}`),
  });
  console.log(values.json ? JSON.stringify(document, null, 2) : `\n${formatBench(document)}`);
}
