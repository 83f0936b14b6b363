// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HexError, isVouchsafeError, parseHex, toHex } from '@vouchsafe/base';
import fc from 'fast-check';

test('bytes to hexadecimal and back, as Node.js does it', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = toHex(bytes);
      assert.equal(text, Buffer.from(bytes).toString('hex'));
      assert.deepEqual(parseHex(text), bytes);
      assert.deepEqual(parseHex(text.toUpperCase()), bytes);
    }),
  );
  assert.equal(toHex(Uint8Array.of(0, 1, 0xab, 0xff)), '0001abff');
});

test('what is not hexadecimal is refused, with the place', () => {
  const rows: [string, RegExp][] = [
    ['a', /even number .* got 1/],
    ['0x00', /character 2/],
    ['00 1', /character 3/],
    ['zz', /character 1/],
    ['-1', /character 1/],
    ['0\u0661', /character 2/],
    ['ab\n\n', /character 3/],
  ];
  for (const [text, message] of rows) {
    assert.throws(
      () => parseHex(text),
      (error) =>
        error instanceof HexError &&
        error.code === 'hex_invalid' &&
        isVouchsafeError(error) &&
        message.test(error.message),
      text,
    );
  }
});
