// SPDX-License-Identifier: Apache-2.0
import type { FileResult, TestOutcome } from './outcome.ts';

export interface Verdict {
  readonly passed: number;
  /** Tests that failed, with the skips that are not allowed. */
  readonly failed: number;
  readonly skipped: number;
  /** Reason of each allowed skip, with the tests that gave it; the two kinds apart. */
  readonly missingTools: ReadonlyMap<string, readonly TestOutcome[]>;
  readonly missingVectors: ReadonlyMap<string, readonly TestOutcome[]>;
  /** Skips that count as failures: no reason, another reason, or a missing tool where all tools must be. */
  readonly forbiddenSkips: readonly TestOutcome[];
  readonly isGood: boolean;
}

const TOOL = 'missing tool:';
const VECTORS = 'missing vectors:';

/**
 * Judges a run. A skip is allowed for a missing tool (not in CI, where the tools must be there) and for missing shared
 * vectors; a test skipped for any other reason is a test that nobody runs.
 */
export function judge(results: readonly FileResult[], isCi: boolean): Verdict {
  const outcomes = results.flatMap((result) => result.outcomes);
  const skips = outcomes.filter((outcome) => outcome.status === 'skipped');
  const byTool = skips.filter((skip) => skip.detail.startsWith(TOOL));
  const byVectors = skips.filter((skip) => skip.detail.startsWith(VECTORS));
  const others = skips.filter((skip) => !byTool.includes(skip) && !byVectors.includes(skip));
  const forbiddenSkips = isCi ? [...others, ...byTool] : others;
  const failed = outcomes.filter((outcome) => outcome.status === 'failed').length + forbiddenSkips.length;
  const passed = outcomes.filter((outcome) => outcome.status === 'passed').length;
  return {
    passed,
    failed,
    skipped: skips.length - forbiddenSkips.length,
    missingTools: isCi ? new Map() : byReason(byTool),
    missingVectors: byReason(byVectors),
    forbiddenSkips,
    isGood: failed === 0 && passed > 0,
  };
}

function byReason(skips: readonly TestOutcome[]): Map<string, TestOutcome[]> {
  return Map.groupBy(skips, (skip) => skip.detail);
}
