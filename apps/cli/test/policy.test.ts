// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
import { vouchsafe } from './support.ts';

const RECORDED = fileURLToPath(new URL('../../../packages/appraise/testdata/boot-with-ima.json', import.meta.url));

interface Document {
  readonly evidence: readonly {
    readonly file: string;
    readonly status: string;
    readonly isTrusted: boolean;
    readonly decision: {
      readonly decidedBy: readonly string[];
      readonly unmet: readonly { readonly condition: string }[];
    };
  }[];
}

/** A folder with evidence of a good boot, and of one whose firmware nobody has approved. */
function scene(t: TestContext): string {
  const dir = tempDir(t);
  copyFileSync(RECORDED, join(dir, 'good.json'));
  const document = JSON.parse(readFileSync(RECORDED, 'utf8')) as { references: { baselines: unknown[] } };
  document.references.baselines = [];
  writeFileSync(join(dir, 'new.json'), JSON.stringify(document));
  return dir;
}

test('policy test says who would be trusted, by what, and which condition does not hold', (t) => {
  const dir = scene(t);
  const good = vouchsafe(dir, 'policy', 'test', 'strict', '--evidence', 'good.json', '--facts');
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^good\.json: trusted \(affirming\), booted lab 1\.2\.3\n {2}permitted by strict\n/);
  assert.match(good.stdout, /secureBoot\.isOn = true/);
  const both = vouchsafe(dir, 'policy', 'test', 'strict', '--evidence', 'good.json', '--evidence', 'new.json');
  assert.equal(both.code, 1);
  assert.match(
    both.stdout,
    /new\.json: NOT trusted \(contraindicated\).*\n {2}strict: does not hold: context\.firmware\.isKnown\n/,
  );
  assert.match(both.stdout, /warning: firmware_unknown \(5 times\)/);
});

test('a policy of a file decides, and --json says the same', (t) => {
  const dir = scene(t);
  const strict = vouchsafe(dir, 'policy', 'show').stdout;
  writeFileSync(join(dir, 'mine.cedar'), strict.replace('when { context.firmware.isKnown }', ''));
  const tried = vouchsafe(
    dir,
    'policy',
    'test',
    'mine.cedar',
    '--evidence',
    'good.json',
    '--evidence',
    'new.json',
    '--json',
  );
  assert.equal(tried.code, 0, tried.stderr);
  const { evidence } = JSON.parse(tried.stdout) as Document;
  assert.deepEqual(
    evidence.map(({ file, status, isTrusted, decision }) => [file, status, isTrusted, decision.decidedBy]),
    [
      ['good.json', 'affirming', true, ['strict']],
      ['new.json', 'warning', true, ['strict']],
    ],
  );
});

test('faults: a policy with its place, evidence that is none, a file that is missing', (t) => {
  const dir = scene(t);
  writeFileSync(join(dir, 'bad.cedar'), 'permit (principal, action, resource)\nwhen { context.image.isKnow };\n');
  const misspelt = vouchsafe(dir, 'policy', 'test', 'bad.cedar', '--evidence', 'good.json');
  assert.deepEqual([misspelt.code, /bad\.cedar:2:8: .*isKnow/.test(misspelt.stderr)], [3, true], misspelt.stderr);
  assert.equal(vouchsafe(dir, 'policy', 'test', 'strict', '--evidence', 'bad.cedar').code, 3);
  assert.equal(vouchsafe(dir, 'policy', 'test', 'strict', '--evidence', 'none.json').code, 3);
  assert.equal(vouchsafe(dir, 'policy', 'test', 'strict').code, 2);
});

test('policy show prints what policy test takes, and the facts that there are', (t) => {
  const dir = scene(t);
  assert.match(vouchsafe(dir, 'policy', 'show', '--schema').stdout, /secureBoot: \{\n/);
  const { policy } = JSON.parse(vouchsafe(dir, 'policy', 'show', '--json').stdout) as { policy: string };
  writeFileSync(join(dir, 'copy.cedar'), policy);
  assert.equal(vouchsafe(dir, 'policy', 'test', 'copy.cedar', '--evidence', 'good.json').code, 0);
});
