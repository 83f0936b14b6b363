// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench, BenchCase, Measure } from '@vouchsafe/testing';
import { meterOf, missingTool } from './measure.ts';
import { goalResult, ratiosOf, sideResult } from './statistics.ts';
import type { BenchDocument, CaseResult } from './types.ts';

export interface RunBenchOptions {
  /** Counted runs of each side. */
  readonly runs: number;
  readonly isQuick: boolean;
  /** Called before each case. */
  readonly onCase?: (name: string) => void;
}

/** Runs all cases of a benchmark, one after the other. */
export async function runBench(bench: Bench, { runs, isQuick, onCase }: RunBenchOptions): Promise<BenchDocument> {
  const dir = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'));
  try {
    const cases = typeof bench.cases === 'function' ? await bench.cases({ dir, isQuick }) : bench.cases;
    const results: CaseResult[] = [];
    for (const benchCase of cases) {
      onCase?.(benchCase.name);
      results.push(await runCase(benchCase, dir, runs, isQuick));
    }
    return { bench: bench.name, description: bench.description, runs, isQuick, machine: thisMachine(), cases: results };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Where it was measured. */
export const thisMachine = (): BenchDocument['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  platform: `${process.platform} ${process.arch}`,
  node: process.versions.node,
});

async function runCase(benchCase: BenchCase, dir: string, runs: number, isQuick: boolean): Promise<CaseResult> {
  const { name, ours, peer, goals = [] } = benchCase;
  const missing = peer === undefined ? undefined : missingTool(peer);
  const sides = [ours, ...(peer === undefined || missing !== undefined ? [] : [peer])];
  const meters = [];
  for (const side of sides) meters.push(await meterOf(side, dir, isQuick));
  const measures: Measure[][] = sides.map(() => []);
  // In turns, so that what else the machine does falls on both. The first turn warms caches and is not counted.
  for (let run = -1; run < runs; run++) {
    for (const [i, meter] of meters.entries()) {
      const measure = await meter();
      if (run >= 0) measures[i]?.push(measure);
    }
  }
  const [oursResult, peerResult = null] = sides.map((side, i) => sideResult(side.label, measures[i] ?? []));
  if (oursResult === undefined) throw new Error('a case without our side');
  const ratios = ratiosOf(oursResult, peerResult);
  return {
    name,
    ours: oursResult,
    peer: peerResult,
    ...(missing === undefined ? {} : { missingTool: missing }),
    ratios,
    goals: goals.map((goal) => goalResult(goal, oursResult, peerResult, ratios)),
  };
}
