// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bench, type BenchGoal, needsTool } from '@vouchsafe/testing';
import { formatBench } from '../bench/format.ts';
import { MeasureError, missingTool } from '../bench/measure.ts';
import { runBench } from '../bench/run-bench.ts';
import { goalResult, ratiosOf, sideResult, statisticsOf } from '../bench/statistics.ts';

test('minimum and median, of odd and even numbers of values', () => {
  assert.deepEqual(statisticsOf([5, 1, 9]), { minimum: 1, median: 5 });
  assert.deepEqual(statisticsOf([10, 4, 2, 8]), { minimum: 2, median: 6 });
  assert.equal(statisticsOf([]), null);
});

test('ratios are peer to ours, of minima and of medians; what one side lacks has none', () => {
  const ours = sideResult('a', [
    { cpuMs: 1, wallMs: 2 },
    { cpuMs: 2, wallMs: 4 },
    { cpuMs: 3, wallMs: 8 },
  ]);
  const peer = sideResult('b', [{ cpuMs: 4 }, { cpuMs: 3 }, { cpuMs: 9 }]);
  assert.deepEqual(ratiosOf(ours, peer), { cpuMs: { minimum: 3, median: 2 }, wallMs: null });
  assert.equal(ratiosOf(ours, null), null);
});

test('a goal is met, missed, or not known', () => {
  const ours = sideResult('a', [{ cpuMs: 2, peakKib: 2048 }]);
  const peer = sideResult('b', [{ cpuMs: 1, wallMs: 7 }]);
  const ratios = { cpuMs: { minimum: 1.5, median: 0.9 }, wallMs: null };
  const judge = (goal: BenchGoal) => goalResult(goal, ours, peer, ratios).isMet;
  const isMet = (time: 'cpuMs' | 'wallMs', statistic: 'minimum' | 'median') => judge({ time, statistic, atLeast: 1 });
  assert.equal(isMet('cpuMs', 'minimum'), true);
  assert.equal(isMet('cpuMs', 'median'), false);
  assert.equal(isMet('wallMs', 'median'), null);
  assert.equal(judge({ peakMibAtMost: 2 }), true);
  assert.equal(judge({ peakMibAtMost: 1 }), false);
  assert.equal(judge({ time: 'cpuMs', statistic: 'median', atMostMoreMs: 1 }), true);
  assert.equal(judge({ time: 'cpuMs', statistic: 'median', atMostMoreMs: 0.5 }), false);
  assert.equal(judge({ time: 'wallMs', statistic: 'median', atMostMoreMs: 1 }), null);
});

test('both sides run in turns, one turn more than is counted', async () => {
  const turns: string[] = [];
  const bench: Bench = {
    name: 'made-up',
    description: 'nothing',
    cases: [
      {
        name: 'one',
        ours: { kind: 'tool', label: 'a', argv: ['true'], parse: () => ({ cpuMs: turns.push('a') }) },
        peer: { kind: 'tool', label: 'b', argv: ['true'], parse: () => ({ cpuMs: turns.push('b') }) },
      },
    ],
  };
  const document = await runBench(bench, { runs: 5, isQuick: true });
  assert.equal(turns.join(''), 'ab'.repeat(6));
  // The counted values are the positions in the list: 3, 5 … 11 and 4, 6 … 12.
  assert.deepEqual(document.cases[0]?.ours.cpuMs, { minimum: 3, median: 7 });
  assert.deepEqual(document.cases[0]?.peer?.cpuMs, { minimum: 4, median: 8 });
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
});

test('functions are timed by the call, awaited when they are asynchronous', async () => {
  let calls = 0;
  const bench: Bench = {
    name: 'made-up',
    description: 'nothing',
    cases: [
      { name: 'sync', ours: { kind: 'function', label: 'f', run: () => calls++ } },
      { name: 'async', ours: { kind: 'function', label: 'g', run: async () => calls++ } },
    ],
  };
  const { cases } = await runBench(bench, { runs: 5, isQuick: true });
  assert.ok(calls > 1000);
  for (const { ours, peer, ratios } of cases) {
    assert.ok(ours.wallMs !== null && ours.wallMs.minimum > 0);
    assert.deepEqual([peer, ratios, ours.peakKib], [null, null, null]);
  }
});

test('a command is measured whole: CPU, wall, peak memory', needsTool('perl'), async () => {
  const script =
    'const b = Buffer.alloc(64 << 20, 1); const end = process.cpuUsage().user + 60_000; while (process.cpuUsage().user < end);';
  const bench: Bench = {
    name: 'made-up',
    description: 'nothing',
    cases: [{ name: 'one', ours: { kind: 'command', label: 'node', argv: [process.execPath, '-e', script] } }],
  };
  const { ours } = (await runBench(bench, { runs: 1, isQuick: true })).cases[0] ?? assert.fail();
  assert.ok((ours.cpuMs?.minimum ?? 0) >= 60);
  assert.ok((ours.wallMs?.minimum ?? 0) > 0);
  assert.ok((ours.peakKib ?? 0) > 64 * 1024 && (ours.peakKib ?? 0) < 1024 * 1024);
});

test('a command that fails is an error with its words', needsTool('perl'), async () => {
  const bench: Bench = {
    name: 'made-up',
    description: 'nothing',
    cases: [{ name: 'one', ours: { kind: 'command', label: 'sh', argv: ['sh', '-c', 'echo words >&2; exit 3'] } }],
  };
  await assert.rejects(runBench(bench, { runs: 1, isQuick: true }), (error) => {
    assert.ok(error instanceof MeasureError);
    assert.match(error.message, /ended with 3: words/);
    return true;
  });
});

test('a missing peer is named, and ours runs alone', async () => {
  const absent = { kind: 'command', label: 'x', argv: ['no-such-tool-here'] } as const;
  assert.equal(missingTool(absent), 'no-such-tool-here');
  const bench: Bench = {
    name: 'made-up',
    description: 'nothing',
    cases: [
      {
        name: 'one',
        ours: { kind: 'function', label: 'f', run: () => 1 },
        peer: absent,
        goals: [{ time: 'cpuMs', statistic: 'median', atLeast: 1 }],
      },
    ],
  };
  const document = await runBench(bench, { runs: 5, isQuick: true });
  assert.equal(document.cases[0]?.missingTool, 'no-such-tool-here');
  assert.equal(document.cases[0]?.goals[0]?.isMet, null);
  assert.match(formatBench(document), /no peer: no-such-tool-here is not on this machine/);
});
