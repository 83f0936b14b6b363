// SPDX-License-Identifier: Apache-2.0
import type { FileResult, TestOutcome } from './outcome.ts';
import type { Verdict } from './verdict.ts';

/** One line for a file that passed; its failures and what it printed for one that did not. */
export function formatFile(result: FileResult): string {
  const count = (status: TestOutcome['status']): number => result.outcomes.filter((o) => o.status === status).length;
  const failures = result.outcomes.filter((outcome) => outcome.status === 'failed');
  const skipped = count('skipped');
  const counts = [`${count('passed')} passed`];
  if (failures.length > 0) counts.push(`${failures.length} failed`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  const seconds = (result.wallMs / 1000).toFixed(1);
  const lines = [`${failures.length > 0 ? '✖' : '✔'} ${result.file}  ${counts.join(', ')}  ${seconds} s`];
  for (const failure of failures) {
    lines.push('', `  ✖ ${nameOf(failure)}`, indent(failure.detail, 4));
  }
  if (failures.length > 0 && result.output.trim() !== '') {
    lines.push('', '  what it printed:', indent(result.output.trimEnd(), 4));
  }
  if (failures.length > 0) lines.push('');
  return lines.join('\n');
}

/** The end of a run: the skips by name and reason, then the counts on a line of their own, the last. */
export function formatVerdict(
  verdict: Verdict,
  failures: readonly TestOutcome[],
  shaky: readonly TestOutcome[] = [],
): string {
  const lines: string[] = [];
  lines.push(
    ...formatSkips('Skipped for a missing tool (sh tools/setup.sh says what to install)', verdict.missingTools),
  );
  lines.push(
    ...formatSkips('Skipped for missing shared vectors (VOUCHSAFE_VECTORS says where)', verdict.missingVectors),
  );
  if (verdict.forbiddenSkips.length > 0) {
    lines.push('', 'Skips that count as failures: use needsTool or needsVectors; in CI each tool must be there');
    for (const skip of verdict.forbiddenSkips) {
      lines.push(`  ${skip.file}: ${nameOf(skip)}: ${skip.detail === '' ? 'no reason' : skip.detail}`);
    }
  }
  if (shaky.length > 0) {
    lines.push('', 'Passed only when run again, alone: the test is at fault, or the code is; find out which');
    for (const one of shaky) lines.push(`  ${one.file}: ${nameOf(one)}`);
  }
  if (failures.length > 0) {
    lines.push('', 'Failed');
    for (const failure of failures) lines.push(`  ${failure.file}: ${nameOf(failure)}`);
  }
  if (verdict.passed === 0) lines.push('', 'No test passed: that is a failure too');
  lines.push('', formatCounts(verdict));
  return lines.join('\n');
}

/** `N passed, N failed, N skipped`, the line that machines read. */
function formatCounts({ passed, failed, skipped }: Verdict): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function formatSkips(title: string, groups: ReadonlyMap<string, readonly TestOutcome[]>): string[] {
  if (groups.size === 0) return [];
  const total = [...groups.values()].reduce((sum, skips) => sum + skips.length, 0);
  const lines = ['', `${title}: ${total}`];
  for (const [reason, skips] of groups) {
    lines.push(`  ${reason}: ${skips.length}`, ...skips.map((skip) => `    ${skip.file}: ${nameOf(skip)}`));
  }
  return lines;
}

function nameOf(outcome: TestOutcome): string {
  return outcome.name.length === 0 ? 'the file itself' : outcome.name.join(' › ');
}

function indent(text: string, width: number): string {
  const margin = ' '.repeat(width);
  return text
    .split('\n')
    .map((line) => (line === '' ? line : margin + line))
    .join('\n');
}
