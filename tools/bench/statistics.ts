// SPDX-License-Identifier: Apache-2.0
import type { BenchGoal, Measure } from '@vouchsafe/testing';
import type { CaseResult, SideResult, Statistics } from './types.ts';

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

/** The goal in words, and whether the ratios meet it. */
export function goalResult(goal: BenchGoal, ratios: CaseResult['ratios']): NonNullable<CaseResult['goal']> {
  const { time, statistic, atLeast } = goal;
  const value = ratios?.[time]?.[statistic];
  const text = `ratio of ${time === 'cpuMs' ? 'CPU' : 'wall'} ${statistic}s at least ${atLeast}`;
  return { text, isMet: value === undefined ? null : value >= atLeast };
}
