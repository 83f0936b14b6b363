// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';

test("the README's example runs, on a software TPM in place of the device", needsTool('swtpm'), async (t) => {
  const { path } = await startSwtpm(t, tempDir(t));
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  assert.ok(example.includes("openTpmDevice('/dev/tpmrm0')"));
  const source = example
    .replace("openTpmDevice('/dev/tpmrm0')", `openSwtpm({ path: ${JSON.stringify(path)} })`)
    .replace('{ openTpmDevice }', '{ openSwtpm }')
    .replace('const { outData } =', 'globalThis.opened =');
  const shown = `${source}\nconsole.log(new TextDecoder().decode(globalThis.opened.outData));`;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', shown], {
    cwd,
  });
  assert.equal(stdout, 'a key\n');
});
