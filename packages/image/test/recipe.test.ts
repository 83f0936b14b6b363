// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FIRST_RECIPE, ImageError, parseRecipe } from '@vouchsafe/image';
import fc from 'fast-check';
import { imageCommandLine } from '../src/build/image-command-line.ts';

const GOOD = `name: edge
version: 1.0.0
root:
  tar: rootfs.tar
kernel:
  folder: kernel
keys: keys
`;

const refused = (text: string): ImageError => {
  try {
    parseRecipe(text, 'r.yaml');
  } catch (error) {
    assert.ok(error instanceof ImageError, String(error));
    return error;
  }
  throw new Error('expected the recipe to be refused');
};

test('a recipe says what it says', () => {
  const recipe = parseRecipe(GOOD, 'r.yaml');
  assert.equal(recipe.name, 'edge');
  assert.equal(recipe.version, '1.0.0');
  assert.deepEqual(recipe.root, [{ kind: 'tar', path: 'rootfs.tar' }]);
  assert.deepEqual(recipe.kernel, { kind: 'folder', path: 'kernel' });
  assert.equal(recipe.initrd.kind, 'made');
  assert.deepEqual([recipe.commandLine, recipe.banks], ['', ['sha256']]);
  const own = ['enter-initrd', 'enter-initrd:leave-initrd'];
  assert.deepEqual([recipe.phases, recipe.policyPhases], [own, own]);
  assert.deepEqual(recipe.layout, { verity: 'root', slots: 1, slotBytes: undefined, espBytes: undefined });
  assert.equal(parseRecipe(FIRST_RECIPE, 'first').name, 'edge');
});

test('every commented line of the first recipe is one that is taken', () => {
  const lines = FIRST_RECIPE.split('\n');
  const all = lines.map((line) => line.replace(/^( *)# (?=( *)(- |[a-z-]+:( |$)| {2}))/, '$1')).join('\n');
  const recipe = parseRecipe(all, 'all');
  assert.equal(recipe.rules.length, 2);
  assert.ok(recipe.initrd.kind === 'made' && recipe.initrd.modules && recipe.loader && recipe.stub);
  assert.equal(recipe.phases.length, 4);
  assert.deepEqual(recipe.policyPhases, ['enter-initrd']);
  assert.deepEqual([recipe.layout.slots, recipe.layout.slotBytes, recipe.var?.sizeBytes], [2, 2 ** 31, 2 ** 32]);
  assert.equal(recipe.kernel.version, '6.1.0-13-amd64');
});

test('values given beside the recipe stand in for its own', () => {
  const overrides = new Map([
    ['version', '2.0'],
    ['root.tar', 'other'],
    ['timestamp', '7'],
  ]);
  const recipe = parseRecipe(GOOD, 'r.yaml', overrides);
  assert.equal(recipe.version, '2.0');
  assert.equal(recipe.root[0]?.path, 'other');
  assert.equal(recipe.timestampSeconds, 7);
});

test('what does not fit is said with line and column', () => {
  const cases: readonly (readonly [string, string])[] = [
    [GOOD.replace('name: edge', 'nmae: edge'), 'r.yaml:1:7: nmae'],
    [GOOD.replace('tar: rootfs.tar', 'tar: [1]'), 'r.yaml:4:8: root.tar'],
    [`${GOOD}rulez: 1\n`, 'r.yaml:8:8: rulez'],
    [`${GOOD}name: again\n`, 'r.yaml:8:1'],
    [`${GOOD}  x: [\n`, 'r.yaml:'],
    [GOOD.replace('edge', '../edge'), 'r.yaml:1:7: name'],
    [GOOD.replace('1.0.0', 'a/b'), 'r.yaml:2:10: version'],
    [GOOD.replace('1.0.0', '1.0'), 'r.yaml:2:10: version'],
    [`${GOOD}command-line: "a\\nb"\n`, 'r.yaml:8:15: command-line'],
    [`${GOOD}banks: [sha256, sha256]\n`, 'r.yaml:8:8: banks'],
    [`${GOOD}seed: 1234\n`, 'r.yaml:8:7: seed'],
    [`${GOOD}ima: { policy: appraise_tcb }\n`, 'r.yaml:8:16: ima.policy'],
    [`${GOOD}ima: { policy: [] }\n`, 'r.yaml:8:16: ima.policy'],
    [`${GOOD}ima: { policy: tcb, template: ima }\n`, 'r.yaml:8:31: ima.template'],
    [`${GOOD}command-line: quiet ima_policy=tcb\nima: { policy: tcb }\n`, 'r.yaml:8:15: command-line'],
    [`${GOOD}budgets: { disk: 12parsecs }\n`, 'r.yaml:8:18: budgets.disk'],
    [`${GOOD}budgets: { disk: 0 }\n`, 'r.yaml:8:18: budgets.disk'],
    [`${GOOD}budgets: { boot: 20 }\n`, 'r.yaml:8:18: budgets.boot'],
    [`${GOOD}budgets: { uki: 9999999999999999G }\n`, 'r.yaml:8:17: budgets.uki'],
    [GOOD.replace('tar: rootfs.tar', 'tar: rootfs.tar\n  compression: zstd'), 'r.yaml:5:16: root.compression'],
    [`${GOOD}phases: [sysinit]\n`, 'r.yaml:8:10: phases[1]'],
    [`${GOOD}policy-phases: [ready]\n`, 'r.yaml:8:17: policy-phases[1]'],
    [`${GOOD}layout: { slots: 2 }\n`, 'r.yaml:8:9: layout'],
    [
      `${GOOD}loader: l\nlayout: { slots: 2 }\n`.replace('edge', 'a-name-of-some-twenty-characters'),
      'r.yaml:1:7: name',
    ],
    [`${GOOD}layout: { slot-size: 4097 }\n`, 'r.yaml:8:22: layout.slot-size'],
    [`${GOOD}var: { size: 1M }\n`, 'r.yaml:8:14: var.size'],
    [`${GOOD}var: { size: 1Q }\n`, 'r.yaml:8:14: var.size'],
    [`${GOOD}initrd: { files: [i] }\nvar: { size: 64M }\n`, 'r.yaml:9:6: var'],
    [`${GOOD}sysexts: [a.confext.raw]\n`, 'r.yaml:8:11: sysexts[1]'],
    [`${GOOD}credentials: [a.cred, b/A.cred]\n`, 'r.yaml:8:23: credentials[2]'],
    [`${GOOD}profile: kata\nloader: l\n`, 'r.yaml:9:9: loader'],
    [`${GOOD}profile: kata\nlayout: { verity: usr }\n`, 'r.yaml:9:9: layout'],
    ['', 'r.yaml:1:1'],
    ['- a\n', 'r.yaml:1:1'],
  ];
  for (const [text, start] of cases) {
    const error = refused(text);
    assert.equal(error.code, 'recipe_invalid', error.message);
    assert.ok(error.message.startsWith(start), `${start}: ${error.message}`);
  }
});

test('budgets are amounts with units, compression goes with the root, and IMA has one hash', () => {
  const text = `${GOOD.replace('tar: rootfs.tar', 'tar: rootfs.tar\n  compression: lz4')}ima: { policy: [tcb, critical_data] }
budgets: { disk: 1G, root: 300 MiB, uki: 64M, initrd: 4096, boot: 20s }
`;
  const recipe = parseRecipe(text, 'r.yaml');
  assert.deepEqual(recipe.budgets, {
    diskBytes: 2 ** 30,
    rootBytes: 300 * 2 ** 20,
    ukiBytes: 64 * 2 ** 20,
    initrdBytes: 4096,
    bootMs: 20_000,
  });
  assert.equal(recipe.compression, 'lz4');
  assert.deepEqual(recipe.ima, { policies: ['tcb', 'critical_data'], template: 'ima-ng' });
  assert.equal(
    imageCommandLine({ ...recipe, commandLine: 'quiet' }, Uint8Array.of(0xab)),
    'roothash=ab ima_policy=tcb|critical_data ima_template=ima-ng ima_hash=sha256 quiet',
  );
});

test('tags and large texts are refused; nothing but coded errors comes out', () => {
  assert.equal(refused(`${GOOD}loader: !!js/function x\n`).code, 'recipe_invalid');
  assert.equal(refused(`# ${'x'.repeat(1024 * 1024)}`).code, 'recipe_invalid');
  fc.assert(
    fc.property(fc.nat(GOOD.length - 1), fc.string({ minLength: 1, maxLength: 4 }), (at, text) => {
      try {
        parseRecipe(GOOD.slice(0, at) + text + GOOD.slice(at + text.length), 'r.yaml');
      } catch (error) {
        assert.ok(error instanceof ImageError, String(error));
      }
    }),
  );
});
