// SPDX-License-Identifier: Apache-2.0
import type { BenchGoal, Measure } from '@vouchsafe/testing';
import type { CaseResult, GoalResult, SideResult, Statistics } from './types.ts';

/** Minimum and median; of an even number of values the mean of the middle two. Null without values. */
export function statisticsOf(values: readonly number[]): Statistics | null {
  const sorted = values.toSorted((a, b) => a - b);
  const [minimum] = sorted;
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  if (minimum === undefined || low === undefined || high === undefined) return null;
  return { minimum, median: (low + high) / 2 };
}

/** Gathers the runs of one side. */
export function sideResult(label: string, measures: readonly Measure[]): SideResult {
  const values = (key: keyof Measure): number[] => measures.flatMap((measure) => measure[key] ?? []);
  const peaks = values('peakKib');
  return {
    label,
    cpuMs: statisticsOf(values('cpuMs')),
    wallMs: statisticsOf(values('wallMs')),
    peakKib: peaks.length === 0 ? null : Math.max(...peaks),
  };
}

/** Peer to ours, of minima and of medians. */
export function ratiosOf(ours: SideResult, peer: SideResult | null): CaseResult['ratios'] {
  if (peer === null) return null;
  const ratio = (key: 'cpuMs' | 'wallMs'): Statistics | null => {
    const [a, b] = [ours[key], peer[key]];
    // A time below the clock's step gives no ratio.
    if (a === null || b === null || a.minimum === 0 || a.median === 0) return null;
    return { minimum: b.minimum / a.minimum, median: b.median / a.median };
  };
  return { cpuMs: ratio('cpuMs'), wallMs: ratio('wallMs') };
}

/** The goal in words, what was measured of it, and whether that meets it. */
export function goalResult(
  goal: BenchGoal,
  ours: SideResult,
  peer: SideResult | null,
  ratios: CaseResult['ratios'],
): GoalResult {
  if ('peakMibAtMost' in goal) {
    const actual = ours.peakKib === null ? null : ours.peakKib / 1024;
    const text = `at most ${goal.peakMibAtMost} MiB of memory`;
    return { text, actual, isMet: actual === null ? null : actual <= goal.peakMibAtMost };
  }
  const { time, statistic } = goal;
  const what = `${time === 'cpuMs' ? 'CPU' : 'wall'} ${statistic}s`;
  if ('atLeast' in goal) {
    const actual = ratios?.[time]?.[statistic] ?? null;
    return {
      text: `ratio of ${what} at least ${goal.atLeast}`,
      actual,
      isMet: actual === null ? null : actual >= goal.atLeast,
    };
  }
  const [a, b] = [ours[time], peer?.[time] ?? null];
  const actual = a === null || b === null ? null : a[statistic] - b[statistic];
  return {
    text: `at most ${goal.atMostMoreMs} ms more than the peer, of ${what}`,
    actual,
    isMet: actual === null ? null : actual <= goal.atMostMoreMs,
  };
}
