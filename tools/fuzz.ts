// SPDX-License-Identifier: Apache-2.0
/** npm run fuzz [-- TARGET …] [--runs N] [--seed S]: mutated inputs for every parser; see FuzzTarget. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzFile } from './fuzz/fuzz-file.ts';
import { findTargetFiles, loadTarget } from './fuzz/targets.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEFAULT_RUNS = 20_000;
const TIMEOUT_MS = 2000;

/** A failing input longer than this is given by its number alone. */
const MAX_SHOWN_HEX = 4096;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' } },
});
const runs = count(values.runs, DEFAULT_RUNS);
// A new start each time finds more; the number is printed, and gives the same run again.
const seed = count(values.seed, Math.floor(Math.random() * 2 ** 31));

const targets = await Promise.all(
  findTargetFiles(ROOT).map(async (file) => ({ file, name: (await loadTarget(file)).name })),
);
if (targets.length === 0) console.log('no fuzz targets: packages/*/fuzz/*.ts hold them');
const unknown = positionals.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0) {
  console.error(`no fuzz target ${unknown.join(', ')}; there are: ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

for (const { file, name } of targets) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const { executions, wallMs, failure } = await fuzzFile(file, { seed, runs, timeoutMs: TIMEOUT_MS });
  const rate = Math.round((executions / wallMs) * 1000);
  console.log(`${failure === undefined ? '✔' : '✖'} ${name}  ${executions} executions, ${rate}/s, --seed ${seed}`);
  if (failure === undefined) continue;
  const { input, problem, hex } = failure;
  process.exitCode = 1;
  console.log(problem);
  console.log(`input: ${hex.length > MAX_SHOWN_HEX ? `${hex.length / 2} bytes` : hex}`);
  if (input.kind === 'seed') console.log(`it is seed ${input.number}, as it is`);
  else console.log(`again: npm run fuzz -- ${name} --seed ${input.number} --runs 1`);
}

function count(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  console.error(`expected a whole number, got ${text}`);
  return process.exit(2);
}
