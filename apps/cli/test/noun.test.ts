// SPDX-License-Identifier: Apache-2.0
// The launcher finds the program of a verb by the verb's file (docs/decisions/0004-start-up.md).
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { COMMANDS } from '../src/noun.ts';

test('each verb is loaded from a file of its own, which has its name', () => {
  for (const [words, { load }] of COMMANDS) {
    const [noun, verb = noun] = words;
    const path = `./${noun}/${verb}.ts`;
    assert.ok(existsSync(new URL(`../src/${path}`, import.meta.url)), path);
    assert.ok(load.toString().includes(`import('${path}')`), `${words.join(' ')} is loaded from another file`);
  }
});
