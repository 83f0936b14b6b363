// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isVouchsafeError } from '@vouchsafe/base';
import { CodecError, decode, list, sized, struct, u8, u16be } from '@vouchsafe/codec';
import { refused } from './support.ts';

test('an error says where, what and its code', () => {
  const codec = struct('LOG', {
    head: u8,
    events: list(u8, struct('EVENT', { body: sized(u8, list(u8, u16be, 4), 9) }), 4),
  });
  const error = refused(
    () => decode(codec, Uint8Array.of(0, 2, 1, 0, 4, 2, 0, 1, 0)),
    'truncated',
    'LOG.events[1].body[1]',
    8,
  );
  assert.equal(error.message, 'LOG.events[1].body[1] @0x8: needs 2 bytes, 1 left [truncated]');
  assert.equal(error.detail, 'needs 2 bytes, 1 left');
  assert.equal(error.name, 'CodecError');
  assert.ok(isVouchsafeError(error));
});

test('steps are added on the outside, and the cause is kept', () => {
  const cause = new Error('why');
  const error = new CodecError('invalid', 255, 'odd', { cause });
  assert.equal(error.path, '');
  assert.equal(error.message, 'odd');
  assert.equal(error.under('b').under(3).under('a').path, 'a[3].b');
  assert.equal(error.message, 'a[3].b @0xff: odd [invalid]');
  assert.equal(error.cause, cause);
});
