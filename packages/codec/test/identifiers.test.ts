// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, guid, isUuidText, uuid } from '@vouchsafe/codec';
import fc from 'fast-check';
import { isFaithful, refused, refusesOtherLengths, roundTrips, untyped } from './support.ts';

const TEXT = '00112233-4455-6677-8899-aabbccddeeff';
const COUNTING = Uint8Array.from({ length: 16 }, (_, i) => 0x11 * i);

test('a UUID is in the order of its text, a GUID has three groups turned round', () => {
  assert.equal(decode(uuid, COUNTING), TEXT);
  assert.equal(decode(guid, COUNTING), '33221100-5544-7766-8899-aabbccddeeff');
  // UEFI 2.10, section 5.3.3: the type GUID of an EFI system partition, and its octets on disk.
  const onDisk = Uint8Array.of(
    0x28,
    0x73,
    0x2a,
    0xc1,
    0x1f,
    0xf8,
    0xd2,
    0x11,
    0xba,
    0x4b,
    0,
    0xa0,
    0xc9,
    0x3e,
    0xc9,
    0x3b,
  );
  assert.deepEqual(encode(guid, 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'), onDisk);
});

for (const codec of [uuid, guid]) {
  test(`${codec.name}: both ways`, () => {
    roundTrips(codec, fc.uuid());
    isFaithful(codec, 17);
    refusesOtherLengths(codec, COUNTING);
  });

  test(`${codec.name}: only its text form is written`, () => {
    const wrong = [
      '',
      TEXT.slice(1),
      `${TEXT}0`,
      `{${TEXT}}`,
      TEXT.replaceAll('-', ''),
      TEXT.replace('f', 'g'),
      ` ${TEXT}`,
      `${TEXT}\n`,
    ];
    wrong.push(TEXT.replace('-', ':'), '٠'.repeat(8) + TEXT.slice(8), 'x'.repeat(100_000));
    for (const text of [...wrong, undefined, null, 5, [TEXT]]) {
      const error = refused(() => encode(codec, untyped(text)), 'invalid', codec.name, 0);
      assert.ok(error.message.length < 300);
    }
  });
}

test('isUuidText: either case, nothing around it', () => {
  assert.ok(isUuidText(TEXT) && isUuidText(TEXT.toUpperCase()));
  assert.ok(!isUuidText(`${TEXT} `) && !isUuidText('') && !isUuidText(`${TEXT}\n`));
});
