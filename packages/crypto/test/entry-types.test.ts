// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as node from '@vouchsafe/crypto';
import * as browser from '@vouchsafe/crypto/browser';

// The compiler's part: each entry can stand where the other is expected.
const nodeForBrowser: typeof browser = node;
const browserForNode: typeof node = browser;

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Rest<Entry> = Omit<Entry, 'PublicKeyCache'>;
// And to the letter, but for the class, which each entry declares for itself.
const sameNames: Equals<keyof typeof node, keyof typeof browser> = true;
const sameTypes: Equals<Rest<typeof node>, Rest<typeof browser>> = true;

test('both entries export the same names', () => {
  assert.deepEqual(Object.keys(nodeForBrowser).sort(), Object.keys(browserForNode).sort());
  assert.ok(sameNames && sameTypes);
});

test('the browser entry compiles with the language alone: no DOM, nothing of Node', () => {
  const root = new URL('../../../', import.meta.url);
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root));
  const project = fileURLToPath(new URL('browser-lib/tsconfig.json', import.meta.url));
  assert.equal(execFileSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' }), '');
});
