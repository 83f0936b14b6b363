// SPDX-License-Identifier: Apache-2.0
// internal: both ways of making objects must give the same ones.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { plainShape, shapeOf } from '../src/shape.ts';

const names = fc
  .uniqueArray(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/), { maxLength: 12 })
  .filter((list) => list.every((name) => !(name in Object.prototype)));

test('compiled and plain shapes make and take the same', () => {
  fc.assert(
    fc.property(names, (list) => {
      const values = list.map((_, i) => i);
      const compiled = shapeOf(list);
      const plain = plainShape(list);
      const object = compiled.make(values);
      assert.deepEqual(object, plain.make(values));
      assert.deepEqual(Object.keys(object), list);
      assert.deepEqual(compiled.take(object), values);
      assert.deepEqual(plain.take(object), values);
      assert.deepEqual(compiled.take({}), plain.take({}));
    }),
  );
});

test('a name that is no identifier never reaches the compiler', () => {
  for (const name of ['a: 1, b', '__proto__', 'constructor', '', 'x}', 'a\u2028', 'ａ']) {
    assert.throws(() => shapeOf([name]), /name of a field/);
  }
});

test('the same names have the same shape, and names that only look so when put together are refused', () => {
  assert.equal(shapeOf(['first', 'second']), shapeOf(['first', 'second']));
  assert.notEqual(shapeOf(['first', 'second']), shapeOf(['second', 'first']));
  assert.throws(() => shapeOf(['first second']), /name of a field/);
});

test('where code generation is switched off, the other tests pass all the same', () => {
  const files = ['struct', 'runs', 'select', 'window', 'formats'].map((name) =>
    fileURLToPath(new URL(`./${name}.test.ts`, import.meta.url)),
  );
  const flag = '--disallow-code-generation-from-strings';
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const isOff = spawnSync(process.execPath, [flag, '-e', "new Function('return 1')"], { env });
  assert.notEqual(isOff.status, 0, 'the flag does what it says');
  for (const file of files) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [flag, file], { env, encoding: 'utf8' });
    assert.equal(status, 0, `${file}\n${stdout}\n${stderr}`);
  }
});
