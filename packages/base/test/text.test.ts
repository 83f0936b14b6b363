// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii, parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import fc from 'fast-check';

const isTextError = (error: unknown): boolean => error instanceof TextError && error.code === 'text_invalid';

test('UTF-8 there and back, a byte order mark and NULs included', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(parseUtf8(utf8(text)), text)));
  for (const text of ['', '\ufeffx', 'a\0b', '\u{1f600}']) assert.equal(parseUtf8(utf8(text)), text);
  assert.deepEqual(utf8('€'), Uint8Array.of(0xe2, 0x82, 0xac));
});

test('bytes that are accepted are given back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), (bytes) => {
      let text: string;
      try {
        text = parseUtf8(bytes);
      } catch (error) {
        assert.ok(isTextError(error));
        return;
      }
      assert.deepEqual(utf8(text), bytes);
    }),
  );
});

test('what is not UTF-8 is refused: RFC 3629, sections 3 and 10', () => {
  const wrong = [
    [0x80],
    [0xc0, 0x80],
    [0xc1, 0xbf],
    [0xe2, 0x82],
    [0xe0, 0x80, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xff],
  ];
  for (const bytes of wrong) {
    assert.throws(
      () => parseUtf8(Uint8Array.from(bytes)),
      (error) => isTextError(error) && (error as Error).cause !== undefined,
    );
  }
});

test('ascii: one byte a character, and none above U+007F', () => {
  assert.deepEqual(ascii('A\0\x7f'), Uint8Array.of(0x41, 0, 0x7f));
  for (const text of ['\x80', 'abcä', '\ud800', '\u{1f600}']) assert.throws(() => ascii(text), isTextError);
  assert.throws(() => ascii('abcä'), /U\+00e4 at character 4/);
});
