// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';
import { inputBytes } from '../fuzz/execute.ts';
import { type FuzzOptions, fuzzFile } from '../fuzz/fuzz-file.ts';
import { mutate } from '../fuzz/mutate.ts';

const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
const SEED = 'const seed = Uint8Array.of(0x56, 0x53, 0, 4, 1, 2, 3, 4);\n';

/** Fuzzes a made-up target whose run is `body`. */
function fuzz(t: TestContext, body: string, options: Partial<FuzzOptions> = {}) {
  const dir = tempDir(t);
  symlinkSync(NODE_MODULES, join(dir, 'node_modules'));
  const file = join(dir, 'target.ts');
  const target = `export const target = { name: 'made-up', seeds: () => [seed], run(bytes: Uint8Array) { ${body} } };\n`;
  writeFileSync(file, `import { HexError } from '@vouchsafe/base';\n${SEED}${target}`);
  return fuzzFile(file, { seed: 1, runs: 5000, timeoutMs: 2000, ...options });
}

const SEEDS = [Uint8Array.of(0x56, 0x53, 0, 4, 1, 2, 3, 4)];

test('a target that throws coded errors alone passes, with all its executions counted', async (t) => {
  const report = await fuzz(t, `if (bytes.length !== 8) throw new HexError('expected 8 bytes');`);
  assert.equal(report.failure, undefined);
  assert.equal(report.executions, 5001);
});

test('a planted RangeError is found, and its number and bytes give it again', async (t) => {
  // The size field is believed: what it says is allocated.
  const bug = `if (bytes[0] !== 0x56) throw new HexError('magic');
    const size = (bytes[2] << 8) | bytes[3];
    if (size > 0x7f00) throw new RangeError('Invalid typed array length');`;
  const { failure } = await fuzz(t, bug);
  assert.ok(failure !== undefined && failure.input.kind === 'mutation');
  assert.match(failure.problem, /RangeError: Invalid typed array length/);
  assert.equal(Buffer.from(inputBytes(SEEDS, failure.input)).toString('hex'), failure.hex);

  const again = await fuzz(t, bug, { seed: failure.input.number, runs: 1 });
  assert.deepEqual(again.failure?.hex, failure.hex);
});

test('an input that never returns is ended and given', async (t) => {
  const { failure } = await fuzz(t, 'if (bytes.length > 8) for (;;);', { timeoutMs: 300 });
  assert.match(failure?.problem ?? '', /not done after 0.3 s/);
  assert.ok((failure?.hex.length ?? 0) > 16);
});

test('a seed that fails as it is is told apart', async (t) => {
  const { failure } = await fuzz(t, `throw new Error('always')`);
  assert.deepEqual(failure?.input, { kind: 'seed', number: 0 });
  assert.equal(failure?.hex, '5653000401020304');
});

test('mutations are the same for the same number, differ between numbers, and stay bounded', () => {
  const seen = new Set<string>();
  for (let number = 0; number < 2000; number++) {
    const bytes = mutate(SEEDS, number);
    assert.deepEqual(bytes, mutate(SEEDS, number));
    assert.ok(bytes.length <= 8 + 64 * 1024);
    seen.add(Buffer.from(bytes).toString('hex'));
  }
  assert.ok(seen.size > 1500, `${seen.size} different inputs`);
  assert.deepEqual(SEEDS, [Uint8Array.of(0x56, 0x53, 0, 4, 1, 2, 3, 4)]);
});
