// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempDir } from '@vouchsafe/testing';
import { FilterError, findTestFiles } from '../test-runner/find-files.ts';
import { formatFile, formatVerdict } from '../test-runner/format.ts';
import type { TestOutcome } from '../test-runner/outcome.ts';
import { runFailedAgain } from '../test-runner/run-again.ts';
import { runTestFile } from '../test-runner/run-file.ts';
import { runTests } from '../test-runner/run-tests.ts';
import { judge } from '../test-runner/verdict.ts';

const IMPORTS = "import assert from 'node:assert/strict';\nimport { describe, test } from 'node:test';\n";

function write(root: string, file: string, body: string): string {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), IMPORTS + body);
  return file;
}

async function runOne(root: string, body: string, timeoutMs = 30_000) {
  return runTestFile(root, write(root, 'made-up.test.ts', body), timeoutMs);
}

const statuses = (outcomes: readonly TestOutcome[]) => outcomes.map((o) => `${o.status} ${o.name.join(' › ')}`);

test('tests in suites and subtests are counted once each, with their path', async (t) => {
  const result = await runOne(
    tempDir(t),
    `describe('suite', () => { test('inner', () => {}); });
     test('parent', async (t) => { await t.test('child', () => {}); });
     test('breaks', () => { assert.equal('left', 'right'); });`,
  );
  assert.deepEqual(statuses(result.outcomes), [
    'passed suite › inner',
    'passed parent › child',
    'passed parent',
    'failed breaks',
  ]);
  assert.match(result.outcomes[3]?.detail ?? '', /left.*right/s);
  const verdict = judge([result], false);
  assert.deepEqual([verdict.passed, verdict.failed, verdict.skipped, verdict.isGood], [3, 1, 0, false]);
});

test('a failing suite counts its tests, not itself, unless its own hook failed', async (t) => {
  const result = await runOne(
    tempDir(t),
    `import { before } from 'node:test';
     describe('one', () => { test('inner', () => assert.fail()); test('other', () => {}); });
     describe('two', () => { before(() => assert.fail('in the hook')); test('never', () => {}); });`,
  );
  assert.deepEqual(statuses(result.outcomes).slice(0, 2), ['failed one › inner', 'passed one › other']);
  assert.ok(result.outcomes.some((o) => o.status === 'failed' && o.name[0] === 'two'));
});

test('skips: allowed reasons are grouped, every other reason fails the run', async (t) => {
  const result = await runOne(
    tempDir(t),
    `test('runs', () => {});
     test('needs a tool', { skip: 'missing tool: veritysetup' }, () => {});
     test('needs vectors', { skip: 'missing vectors: image' }, () => {});`,
  );
  const outside = judge([result], false);
  assert.deepEqual([outside.passed, outside.failed, outside.skipped, outside.isGood], [1, 0, 2, true]);
  assert.deepEqual([...outside.missingTools.keys()], ['missing tool: veritysetup']);
  assert.deepEqual([...outside.missingVectors.keys()], ['missing vectors: image']);
  assert.match(formatVerdict(outside, []), /missing tool: veritysetup: 1\n.*needs a tool/);

  const inCi = judge([result], true);
  assert.deepEqual([inCi.passed, inCi.failed, inCi.skipped, inCi.isGood], [1, 1, 1, false]);
  assert.deepEqual(
    inCi.forbiddenSkips.map((skip) => skip.detail),
    ['missing tool: veritysetup'],
  );
});

for (const [what, body] of [
  ['no reason', `test('x', { skip: true }, () => {});`],
  ['another reason', `test('x', { skip: 'flaky' }, () => {});`],
  ['a reason given while it runs', `test('x', (t) => t.skip('later'));`],
  ['a whole suite', `describe('x', { skip: 'slow' }, () => { test('y', () => {}); });`],
  ['todo', `test('x', { todo: 'missing tool: time' }, () => {});`],
] as const) {
  test(`a skip with ${what} fails the run`, async (t) => {
    const result = await runOne(tempDir(t), `test('runs', () => {});\n${body}`);
    const verdict = judge([result], false);
    assert.deepEqual([verdict.passed, verdict.failed, verdict.isGood], [1, 1, false]);
  });
}

test('a run without a passed test is not good', () => {
  assert.equal(judge([], false).isGood, false);
  assert.match(formatVerdict(judge([], false), []), /No test passed/);
});

for (const [what, body, problem] of [
  ['does not parse', 'this is not TypeScript', /exit code 1/],
  ['holds no test', '', /no result/],
  ['leaves before its tests are done', `test('a', () => {}); test('b', () => process.exit(0));`, /no result/],
  ['fails and hangs', `test('a', () => assert.fail()); setInterval(() => {}, 1000);`, /not done after/],
  ['is killed', `test('a', () => process.kill(process.pid, 'SIGKILL'));`, /SIGKILL/],
  [
    'fails outside its tests',
    `test('a', () => {}); process.on('exit', () => { process.exitCode = 7; });`,
    /exit code 7/,
  ],
] as const) {
  test(`a file that ${what} is a failure`, async (t) => {
    const result = await runOne(tempDir(t), body, what === 'fails and hangs' ? 1500 : 30_000);
    const last = result.outcomes.at(-1);
    assert.match(last?.detail ?? '', problem);
    assert.deepEqual([last?.name, last?.status], [[], 'failed']);
    assert.equal(judge([result], false).isGood, false);
  });
}

test('a file that hangs is ended, with the processes it started', async (t) => {
  const root = tempDir(t);
  const result = await runOne(
    root,
    `import { spawn } from 'node:child_process';
     import { writeFileSync } from 'node:fs';
     test('hangs', () => {
       const child = spawn('sleep', ['300'], { stdio: 'inherit' });
       writeFileSync(${JSON.stringify(join(root, 'pid'))}, String(child.pid));
       for (;;);
     });`,
    1500,
  );
  assert.match(result.outcomes[0]?.detail ?? '', /not done after 1.5 s/);
  const pid = Number(readFileSync(join(root, 'pid'), 'utf8'));
  await assertGone(pid);
});

/** A killed process stays visible until its parent has taken its end; whoever adopted it does so soon. */
async function assertGone(pid: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return;
    } catch {
      return;
    }
    await sleep(20);
  }
  assert.fail(`process ${pid} still runs`);
}

test('what a failing file printed is shown, and the last line is the counts', async (t) => {
  const result = await runOne(tempDir(t), `test('x', () => { console.log('a clue'); assert.fail('why'); });`);
  assert.match(formatFile(result), /✖ made-up\.test\.ts[\s\S]*✖ x[\s\S]*why[\s\S]*a clue/);
  const verdict = judge([result], false);
  assert.equal(formatVerdict(verdict, result.outcomes).split('\n').at(-1), '0 passed, 1 failed, 0 skipped');
});

test('in CI a file that failed runs again: chance is named, and what fails twice fails the run', async (t) => {
  const root = tempDir(t);
  const once = `import { existsSync, writeFileSync } from 'node:fs';
     test('by chance', () => {
       const isSecond = existsSync(${JSON.stringify(join(root, 'ran'))});
       writeFileSync(${JSON.stringify(join(root, 'ran'))}, '');
       assert.ok(isSecond);
     });`;
  const broken = Array.from({ length: 5 }, (_, i) =>
    write(root, `broken-${i}.test.ts`, "test('x', () => assert.fail());"),
  );
  const options = { root, timeoutMs: 30_000 };
  const run = async (files: string[]) => runFailedAgain(await runTests({ ...options, files }), options);
  const { results, shaky } = await run([write(root, 'once.test.ts', once), ...broken.slice(0, 1)]);
  assert.deepEqual(statuses(shaky), ['failed by chance']);
  const verdict = judge(results, true);
  assert.deepEqual([verdict.passed, verdict.failed, verdict.isGood], [1, 1, false]);
  assert.match(formatVerdict(verdict, [], shaky), /run again[^\n]*\n {2}once\.test\.ts: by chance/);
  rmSync(join(root, 'ran'));
  const many = await run(['once.test.ts', ...broken]);
  assert.deepEqual([many.shaky.length, judge(many.results, true).failed], [0, 6], 'so many do not fail by chance');
});

test('filters name files or folders, from the given folder or from the root', (t) => {
  const root = tempDir(t);
  const a = write(root, 'packages/a/test/one.test.ts', '');
  const b = write(root, 'packages/b/test/deep/two.test.ts', '');
  const c = write(root, 'tools/test/three.test.ts', '');
  write(root, 'packages/a/src/not-a-test.ts', '');
  assert.deepEqual(findTestFiles(root, [], root), [a, b, c]);
  assert.deepEqual(findTestFiles(root, ['packages/a'], root), [a]);
  assert.deepEqual(findTestFiles(root, ['test', b], join(root, 'packages/a')), [a, b]);
  assert.throws(() => findTestFiles(root, ['packages/c'], root), FilterError);
  assert.throws(() => findTestFiles(root, ['packages/a/src'], root), FilterError);
});
