// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Survey, SurveyContext, SurveyRow } from '@vouchsafe/testing';
import { thisMachine } from './run-bench.ts';
import type { BenchDocument } from './types.ts';

export interface SurveyDocument {
  readonly bench: string;
  readonly description: string;
  readonly isQuick: boolean;
  readonly machine: BenchDocument['machine'] & {
    /** Processes that wanted a core in the minute before the start, and in that before the end. */
    readonly load: readonly [before: number, after: number];
  };
  readonly rows: readonly SurveyRow[];
}

/** Runs a survey in a folder that goes again. */
export async function runSurvey(bench: Survey, options: Omit<SurveyContext, 'dir'>): Promise<SurveyDocument> {
  const dir = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'));
  try {
    const [before = 0] = loadavg();
    const rows = await bench.survey({ ...options, dir });
    const [after = 0] = loadavg();
    const { name, description } = bench;
    const machine = { ...thisMachine(), load: [before, after] as const };
    return { bench: name, description, isQuick: options.isQuick, machine, rows };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The document as text: a block a row. */
export function formatSurvey({ bench, machine, rows }: SurveyDocument): string {
  const head = `${bench}: ${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, load ${machine.load.join(' to ')}`;
  const blocks = rows.map(({ name, values, goals = [] }) => {
    const lines = Object.entries(values).map(
      ([key, value]) => `  ${key.padEnd(28)} ${value?.toPrecision(4) ?? 'none'}`,
    );
    return [name, ...lines, ...goals.map(({ text, isMet }) => `  goal: ${text}: ${isMet ? 'met' : 'missed'}`)].join(
      '\n',
    );
  });
  return [head, ...blocks].join('\n\n');
}
