// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the README’s example runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const stdout = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', example], {
    cwd,
    encoding: 'utf8',
  });
  assert.ok(readme.includes(`It prints \`${stdout.trim()}\``), stdout);
});
