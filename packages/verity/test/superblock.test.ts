// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesEqual } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { decodeSuperblock, encodeSuperblock, parseAlgorithm, readHeader, type VerityHeader } from '@vouchsafe/verity';
import fc from 'fast-check';
import { tableRows, treeOptions, treeTestdata, UUID } from './tree-support.ts';

const HEADER: VerityHeader = {
  uuid: UUID,
  hashType: 1,
  algorithm: 'sha256',
  dataBlockSize: 4096,
  hashBlockSize: 4096,
  dataBlocks: 7,
  salt: Uint8Array.of(1, 2, 3),
};
const VALID = encodeSuperblock(HEADER);

/** The valid superblock with some octets changed. */
function withBytes(at: number, ...octets: readonly number[]): Uint8Array {
  const bytes = VALID.slice();
  bytes.set(octets, at);
  return bytes;
}

for (const { name, args, octets } of tableRows('tree/trees.tsv')) {
  const options = treeOptions(args as string);
  if (!options.place.hasSuperblock) continue;
  test(`vector: the superblock of ${name} says what veritysetup was told, and is written the same`, () => {
    const { offset } = options.place;
    const hash = treeTestdata(`tree/${name}.hash`);
    const header = readHeader(memorySource(hash), offset);
    const dataBlocks = options.dataBlocks ?? Number(octets) / options.parameters.dataBlockSize;
    assert.deepEqual(header, { ...options.parameters, uuid: UUID, dataBlocks });
    assert.ok(bytesEqual(encodeSuperblock(header), hash.subarray(offset, offset + 512)));
  });
}

test('round trip: any valid header', () => {
  const size = fc.integer({ min: 9, max: 19 }).map((log) => 2 ** log);
  const header: fc.Arbitrary<VerityHeader> = fc.record(
    {
      uuid: fc.uuid(),
      hashType: fc.constantFrom(0, 1),
      algorithm: fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'blake2b-512'),
      dataBlockSize: size,
      hashBlockSize: size,
      dataBlocks: fc.integer({ min: 1, max: 2 ** 34 - 1 }),
      salt: fc.uint8Array({ maxLength: 256 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(header, (value) => assert.deepEqual(decodeSuperblock(encodeSuperblock(value)), value)));
});

test('the UUID: of any version, nil, in either case', () => {
  for (const uuid of [
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    UUID.toUpperCase(),
  ]) {
    assert.equal(decodeSuperblock(encodeSuperblock({ ...HEADER, uuid })).uuid, uuid.toLowerCase());
  }
  for (const uuid of [
    '',
    UUID.slice(1),
    `${UUID}0`,
    UUID.replace('-', ''),
    UUID.replace('a', 'g'),
    `{${UUID}}`,
    '\u001b[2J',
  ]) {
    assert.throws(() => encodeSuperblock({ ...HEADER, uuid }), { code: 'options_invalid' });
  }
});

test('malformed: every truncation and a trailing byte', () => {
  for (let length = 0; length < VALID.length; length++) {
    const code = length < 8 ? 'superblock_missing' : 'superblock_invalid';
    assert.throws(() => decodeSuperblock(VALID.subarray(0, length)), { code });
  }
  assert.throws(() => decodeSuperblock(new Uint8Array([...VALID, 0])), { code: 'superblock_invalid' });
});

const LIES: [what: string, bytes: Uint8Array, code: string][] = [
  ['no signature', withBytes(0, 0x56), 'superblock_missing'],
  ['version 0', withBytes(8, 0), 'superblock_invalid'],
  ['version 2', withBytes(8, 2), 'superblock_invalid'],
  ['hash type 2', withBytes(12, 2), 'superblock_invalid'],
  ['an unknown digest', withBytes(32, 0x74), 'algorithm'],
  ['no digest', withBytes(32, 0, 0, 0, 0, 0, 0), 'algorithm'],
  ['a digest that is not ASCII', withBytes(32, 0xff), 'superblock_invalid'],
  ['text behind the name of the digest', withBytes(63, 0x61), 'superblock_invalid'],
  ['data blocks of 256 octets', withBytes(64, 0, 1, 0, 0), 'superblock_invalid'],
  ['data blocks of 0 octets', withBytes(64, 0, 0, 0, 0), 'superblock_invalid'],
  ['data blocks of 3072 octets', withBytes(64, 0, 12, 0, 0), 'superblock_invalid'],
  ['data blocks of 1 MiB', withBytes(64, 0, 0, 16, 0), 'superblock_invalid'],
  ['hash blocks of 2 GiB', withBytes(68, 0, 0, 0, 0x80), 'superblock_invalid'],
  ['hash blocks of 511 octets', withBytes(68, 0xff, 1, 0, 0), 'superblock_invalid'],
  ['no data blocks', withBytes(72, 0), 'superblock_invalid'],
  ['2^53 octets of data', withBytes(72, 0, 0, 0, 0, 0, 2), 'superblock_invalid'],
  ['2^64 - 1 data blocks', withBytes(72, ...new Array(8).fill(0xff)), 'superblock_invalid'],
  ['257 octets of salt', withBytes(80, 1, 1), 'superblock_invalid'],
  ['65535 octets of salt', withBytes(80, 0xff, 0xff), 'superblock_invalid'],
  ['a salt longer than its size says', withBytes(80, 2), 'superblock_invalid'],
];
for (let at = 82; at < 88; at++) LIES.push([`padding ${at} in use`, withBytes(at, 1), 'superblock_invalid']);
for (const at of [344, 400, 511]) LIES.push([`padding ${at} in use`, withBytes(at, 1), 'superblock_invalid']);

for (const [what, bytes, code] of LIES) {
  test(`malformed: ${what}`, () => {
    assert.throws(() => decodeSuperblock(bytes), { code });
  });
}

test('a count that no number holds is said as it stands there', () => {
  const octets = withBytes(72, ...new Array(8).fill(0xff));
  assert.throws(() => decodeSuperblock(octets), {
    code: 'superblock_invalid',
    message: /18446744073709551615 data blocks/,
  });
});

test('the bounds themselves are valid', () => {
  for (const change of [
    { dataBlockSize: 512 },
    { dataBlockSize: 524_288 },
    { hashBlockSize: 512 },
    { hashBlockSize: 524_288 },
    { dataBlocks: 2 ** 41 - 1 },
    { salt: new Uint8Array(256).fill(1) },
    { salt: new Uint8Array(0) },
  ]) {
    const header = { ...HEADER, ...change };
    assert.deepEqual(decodeSuperblock(encodeSuperblock(header)), header);
  }
});

test('options that are not numbers are refused', () => {
  for (const change of [
    { dataBlockSize: Number.NaN },
    { dataBlockSize: 1000 },
    { hashBlockSize: 2 ** 31 },
    { hashBlockSize: Number.POSITIVE_INFINITY },
    { dataBlocks: Number.NaN },
    { dataBlocks: 1.5 },
    { dataBlocks: 2 ** 41 },
    { dataBlocks: -1 },
    { salt: new Uint8Array(257) },
    { hashType: 2 as 1 },
  ]) {
    assert.throws(() => encodeSuperblock({ ...HEADER, ...change }), { code: 'options_invalid' });
  }
});

test('a header is read where the offset says, and an offset that cannot be is refused', () => {
  const bytes = new Uint8Array(2048);
  bytes.set(VALID, 1536);
  assert.equal(readHeader(memorySource(bytes), 1536).uuid, UUID);
  assert.throws(() => readHeader(memorySource(bytes), 0), { code: 'superblock_missing' });
  for (const offset of [2048, 2 ** 50, 2 ** 52]) {
    assert.throws(() => readHeader(memorySource(bytes), offset), { code: 'superblock_missing' });
  }
  for (const offset of [-512, 1, 0.5, Number.NaN, 2 ** 60]) {
    assert.throws(() => readHeader(memorySource(bytes), offset), { code: 'options_invalid' });
  }
  assert.throws(() => readHeader(memorySource(bytes.subarray(0, 2047)), 1536), { code: 'superblock_missing' });
});

test('digests go by the names of the kernel and of veritysetup, in either case', () => {
  assert.equal(parseAlgorithm('SHA256'), 'sha256');
  assert.equal(parseAlgorithm('Blake2b-512'), 'blake2b-512');
  assert.equal(parseAlgorithm('rmd160'), 'ripemd160');
  for (const name of ['', 'sha-256', 'constructor', '__proto__', 'toString', 'sha256 ', '\u001b[2J']) {
    assert.throws(
      () => parseAlgorithm(name),
      (error: Error & { code?: string }) => error.code === 'algorithm' && !error.message.includes('\u001b'),
    );
  }
});
