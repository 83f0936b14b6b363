// SPDX-License-Identifier: Apache-2.0
// What the README tells a newcomer to type works, in an empty folder, in order.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@vouchsafe/testing';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The shell blocks of a page, without the tests, which are running, and the demo, which has a test of its own. */
function shellBlocks(page: string): string[] {
  const text = readFileSync(`${ROOT}${page}`, 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)]
    .map(([, block]) => block ?? '')
    .filter((block) => !block.startsWith('npm ') && !block.startsWith('./vouchsafe demo'));
}

test("the README's commands work", (t) => {
  const blocks = shellBlocks('README.md');
  assert.ok(blocks.length >= 2);
  const script = blocks.join('\n').replaceAll('./vouchsafe', '"$VOUCHSAFE"');
  const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], {
    cwd: tempDir(t),
    encoding: 'utf8',
    env: { ...process.env, VOUCHSAFE: `${ROOT}vouchsafe` },
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^Root hash:/m);
  assert.match(stdout, /^exit code 1$/m);
  assert.match(stdout, /root\.img: repaired block 4$/m);
  assert.match(stdout, /^all is well now$/m);
});
