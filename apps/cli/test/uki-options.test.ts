// SPDX-License-Identifier: Apache-2.0
// Internal: what options may hold, and what reaches a terminal.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidArgumentError } from '../src/arguments/invalid-argument-error.ts';
import { collectList, commandWords, timeMs } from '../src/parse.ts';
import { printable } from '../src/printable.ts';

test('a command is split into words as a shell does it', () => {
  for (const text of [
    'sign',
    '  sign   db  ',
    `sign 'a b' "c d"`,
    `sign a'b'"c"d ''`,
    String.raw`sign a\ b "c\"d" 'e\f' "g\h"`,
    `sign --pin env:PIN\t--id 01\n--x`,
  ]) {
    const shell = execFileSync('sh', ['-c', `printf '%s\\n' ${text.replaceAll('\n', ' ')}`], { encoding: 'utf8' });
    assert.deepEqual(commandWords(text), shell.split('\n').slice(0, -1), text);
  }
});

test('words in single quotes come back as they are', () => {
  const word = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes("'"));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      assert.deepEqual(commandWords(words.map((one) => `'${one}'`).join(' ')), words);
    }),
  );
});

test('a command that has no end, or no words, is refused', () => {
  for (const text of ['', '  ', "sign 'a", 'sign "a', String.raw`sign "a\"`, 'sign a\\']) {
    assert.throws(() => commandWords(text), InvalidArgumentError, text);
  }
});

test('times are whole seconds, or dates in UTC', () => {
  assert.equal(timeMs('0'), 0);
  assert.equal(timeMs('1769860800'), Date.UTC(2026, 0, 31, 12));
  assert.equal(timeMs('2026-01-31T12:00:00Z'), Date.UTC(2026, 0, 31, 12));
  for (const text of [
    '',
    'now',
    '-1',
    '1.5',
    '2026-01-31',
    '2026-13-31T12:00:00Z',
    '2026-01-31T12:00:00',
    '1'.repeat(13),
  ]) {
    assert.throws(() => timeMs(text), InvalidArgumentError, text);
  }
});

test('lists are between commas and white space', () => {
  assert.deepEqual(collectList(' a,b  c\n', ['z']), ['z', 'a', 'b', 'c']);
  assert.deepEqual(collectList(''), []);
});

test('nothing that a terminal obeys is printed', () => {
  assert.equal(printable('a\tb\n\u001b[2J\u202e\u009b\r'), 'a\tb\n\\u{1b}[2J\\u{202e}\\u{9b}\\u{d}');
  assert.equal(printable('Größe 日本 🙂'), 'Größe 日本 🙂');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printable(text), /(?![\n\t])[\p{Cc}\p{Cf}]/u);
    }),
  );
});
