// SPDX-License-Identifier: Apache-2.0
export type {
  Bench,
  BenchCase,
  BenchContext,
  BenchGoal,
  BenchSide,
  Measure,
  Survey,
  SurveyContext,
  SurveyRow,
} from './bench.ts';
export type { FuzzTarget } from './fuzz.ts';
export { manufactureSwtpm, type Swtpm, startSwtpm } from './swtpm.ts';
export { tempDir } from './temp.ts';
export { needsMountNamespace, needsTool, type Requirement } from './tools.ts';
export { needsVectors, vectorPath, vectorTsv } from './vectors.ts';
