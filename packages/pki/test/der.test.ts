// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contextTag,
  decodeOctetBits,
  decodeText,
  decodeTime,
  encodeBitString,
  encodeBoolean,
  encodeElement,
  encodeInteger,
  encodeNamedBits,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  encodeTime,
  encodeUtf8String,
  openDer,
  openDerSequence,
  STRICT_DER,
  TAG,
  VENDOR_DER,
} from '@vouchsafe/pki';
import fc from 'fast-check';
import { hex, pkiError } from './helpers.ts';

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('integers, object identifiers and strings as X.690 and others write them', () => {
  const integers: [bigint, string][] = [
    [0n, '020100'],
    [127n, '02017f'],
    [128n, '02020080'],
    [256n, '02020100'],
    [-1n, '0201ff'],
    [-128n, '020180'],
    [-129n, '0202ff7f'],
    [0xffffffffffffffffn, '020900ffffffffffffffff'],
  ];
  for (const [value, der] of integers) {
    assert.equal(toHex(encodeInteger(value)), der);
    assert.equal(openDer(hex(der)).readInteger('value'), value);
  }
  const oids: [string, string][] = [
    ['1.2.840.113549', '06062a864886f70d'],
    ['2.999.3', '0603883703'], // X.690, 8.19.5
    ['2.5.29.15', '0603551d0f'],
    ['0.9.2342', '0603099226'],
    ['2.25.329800735698586629295641978511506172918', '0614 6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776'],
  ];
  for (const [oid, der] of oids) {
    assert.equal(toHex(encodeOid(oid)), der.replaceAll(' ', ''));
    assert.equal(openDer(hex(der)).readOid('oid'), oid);
  }
  assert.equal(toHex(encodeNamedBits([0, 5])), '03020284');
  assert.equal(toHex(encodeNamedBits([])), '030100');
  assert.equal(toHex(encodeNamedBits([8])), '0303070080');
  assert.equal(
    toHex(encodeSetOf([hex('0201ff'), hex('0400'), hex('020100')])),
    '3108020100 0201ff 0400'.replaceAll(' ', ''),
  );
});

test('an element keeps its exact bytes, its offset and its path', () => {
  const inner = encodeSequence(encodeOctetString(hex('0102')));
  const reader = openDerSequence(encodeSequence(encodeInteger(1n), inner), 'Outer');
  reader.readInteger('version');
  const sequence = reader.readSequence('inner');
  assert.deepEqual(sequence.element.bytes, inner);
  const element = sequence.read('value');
  assert.equal(element.offset, 7);
  assert.equal(element.path, 'Outer.inner.value');
  assert.deepEqual(element.contents, hex('0102'));
  sequence.end();
  reader.end();
});

test('lengths: shortest form, definite, inside what holds them', () => {
  const of =
    (text: string, rules = STRICT_DER) =>
    () =>
      openDer(hex(text), rules).read('x');
  assert.throws(of('0480'), pkiError('der_length', 0)); // indefinite
  assert.throws(of('3080 0000', VENDOR_DER), pkiError('der_length'));
  assert.throws(of('048100'), pkiError('der_length'));
  assert.throws(of(`04817f${'00'.repeat(127)}`), pkiError('der_length'));
  assert.throws(of(`04820080${'00'.repeat(128)}`), pkiError('der_length'));
  assert.throws(of('04850000000001ff', VENDOR_DER), pkiError('der_length'));
  assert.throws(of('0484ffffffff00'), pkiError('der_truncated'));
  assert.throws(of('04'), pkiError('der_truncated'));
  assert.throws(of('0481'), pkiError('der_truncated'));
  assert.throws(of('040200'), pkiError('der_truncated'));
  assert.throws(of(''), pkiError('der_tag', 0));
  assert.equal(of('048100', VENDOR_DER)().contents.length, 0);
  assert.equal(of(`04820080${'00'.repeat(128)}`, VENDOR_DER)().contents.length, 128);
  assert.equal(of(`048180${'00'.repeat(128)}`)().contents.length, 128);
  // An element may not reach out of the one that holds it, even where the input goes on.
  assert.throws(() => openDer(hex('3003 040200 ff')).readSequence('x').read('y'), pkiError('der_truncated', 2));
});

test('tags: none above 30, none but the expected, no elements in a primitive', () => {
  assert.throws(() => openDer(hex('1f2100')).read('x'), pkiError('der_tag'));
  assert.throws(() => openDer(hex('0500')).read('x', TAG.sequence), pkiError('der_tag', 0));
  assert.throws(() => openDer(hex('8000')).readSequence('x', contextTag(0, 'primitive')), pkiError('der_tag'));
  assert.equal(openDer(hex('0500')).readOptional('x', TAG.integer), undefined);
});

test('depth, number of elements and size end at their limits', () => {
  const nested = (levels: number): Uint8Array => {
    let der: Uint8Array = encodeSequence();
    for (let i = 1; i < levels; i++) der = encodeSequence(der);
    return der;
  };
  const walk = (der: Uint8Array): void => {
    for (let reader = openDer(der); !reader.isAtEnd; ) reader = reader.readSequence('s');
  };
  walk(nested(STRICT_DER.maxDepth));
  assert.throws(() => walk(nested(STRICT_DER.maxDepth + 1)), pkiError('der_depth'));

  const many = new Uint8Array(2 * (STRICT_DER.maxElements + 1)).fill(0).map((_, i) => (i % 2 === 0 ? TAG.null : 0));
  assert.equal(openDer(many.subarray(2)).rest(1e9).length, STRICT_DER.maxElements);
  assert.throws(() => openDer(many).rest(1e9), pkiError('der_limit'));
  assert.throws(() => openDer(hex('0500 0500')).rest(1), pkiError('der_limit', 2));

  openDer(new Uint8Array(8), { ...STRICT_DER, maxSizeBytes: 8 });
  assert.throws(() => openDer(new Uint8Array(9), { ...STRICT_DER, maxSizeBytes: 8 }), pkiError('der_limit'));
});

test('trailing bytes are refused, inside and after; after the outermost only unless the rules allow it', () => {
  assert.throws(() => openDerSequence(hex('3000 ff'), 'X'), pkiError('der_trailing', 2));
  openDerSequence(hex('3000 ff'), 'X', VENDOR_DER).end();
  assert.throws(() => openDerSequence(hex('3002 0500'), 'X', VENDOR_DER).end(), pkiError('der_trailing', 2));
});

test('a SET OF out of order is refused unless the rules allow it', () => {
  const unsorted = hex('3106 020102 020101');
  assert.throws(() => openDer(unsorted).readSetOf('s', 2), pkiError('der_value', 5));
  assert.equal(openDer(unsorted, VENDOR_DER).readSetOf('s', 2).length, 2);
  assert.equal(openDer(hex('3106 020101 020101')).readSetOf('s', 2).length, 2);
  assert.throws(() => openDer(unsorted, VENDOR_DER).readSetOf('s', 1), pkiError('der_limit'));
});

test('contents that are no value of their type', () => {
  const integer = (text: string) => () => openDer(hex(text)).readInteger('x');
  for (const text of ['0200', '02020001', '0202ff80']) assert.throws(integer(text), pkiError('der_value'), text);
  assert.throws(integer(`02820802${'01'.repeat(2050)}`), pkiError('der_limit'));
  const oid = (text: string) => () => openDer(hex(text)).readOid('x');
  for (const text of [
    '0600',
    '060180',
    '06022a80',
    '06032a8001',
    `0614${'ff'.repeat(19)}7f`,
    `0641${'01'.repeat(65)}`,
  ]) {
    assert.throws(oid(text), pkiError('der_value'), text);
  }
  const boolean = (text: string) => () => openDer(hex(text)).readBoolean('x');
  for (const text of ['0100', '010101', '0102ffff']) assert.throws(boolean(text), pkiError('der_value'), text);
  assert.equal(boolean('0101ff')(), true);
  const bits = (text: string) => () => openDer(hex(text)).readBitString('x');
  for (const text of ['0300', '030108', '030101', '03020101']) assert.throws(bits(text), pkiError('der_value'), text);
  assert.throws(() => decodeOctetBits(openDer(hex('03020700')).read('x')), pkiError('der_value'));
});

test('times by the rules of RFC 5280', () => {
  const time = (tag: number, text: string) => () =>
    decodeTime(openDer(encodeElement(tag, Buffer.from(text))).read('t'));
  const utc = (text: string) => time(TAG.utcTime, text);
  const generalized = (text: string) => time(TAG.generalizedTime, text);
  assert.equal(utc('500101000000Z')(), Date.UTC(1950, 0, 1));
  assert.equal(utc('491231235959Z')(), Date.UTC(2049, 11, 31, 23, 59, 59));
  assert.equal(generalized('99991231235959Z')(), Date.UTC(9999, 11, 31, 23, 59, 59));
  assert.equal(new Date(generalized('00010101000000Z')()).toISOString(), '0001-01-01T00:00:00.000Z');
  for (const text of [
    '2601010000Z',
    '260101000000',
    '260101000000+0100',
    '261301000000Z',
    '260229000000Z',
    '260101240000Z',
    '26010100000aZ',
  ]) {
    assert.throws(utc(text), pkiError('der_value'), text);
  }
  for (const text of ['20260101000000.5Z', '20260101000060Z', '20260100000000Z', '260101000000Z']) {
    assert.throws(generalized(text), pkiError('der_value'), text);
  }
  assert.throws(time(TAG.utf8String, '260101000000Z'), pkiError('der_tag'));
  assert.equal(
    toHex(encodeTime(Date.UTC(2049, 11, 31, 23, 59, 59))),
    `170d${Buffer.from('491231235959Z').toString('hex')}`,
  );
  assert.equal(toHex(encodeTime(Date.UTC(2050, 0, 1))), `180f${Buffer.from('20500101000000Z').toString('hex')}`);
  for (const timeMs of [0.5, 1, Number.NaN, Number.POSITIVE_INFINITY, Date.UTC(10000, 0, 1)]) {
    assert.throws(() => encodeTime(timeMs), pkiError('argument_invalid'), String(timeMs));
  }
});

test('strings of each type, and bytes that are none', () => {
  const text = (tag: number, contents: Uint8Array) => decodeText(openDer(encodeElement(tag, contents)).read('t'));
  assert.equal(text(TAG.utf8String, Buffer.from('Löwe')), 'Löwe');
  assert.equal(text(TAG.teletexString, Buffer.from('Löwe', 'latin1')), 'Löwe');
  assert.equal(text(TAG.printableString, Buffer.from('a@b')), 'a@b');
  assert.equal(text(TAG.bmpString, hex('004c00f6')), 'Lö');
  assert.equal(text(TAG.universalString, hex('0001f600')), '\u{1f600}');
  assert.equal(text(TAG.octetString, hex('00')), undefined);
  assert.throws(() => text(TAG.utf8String, hex('ff')), pkiError('der_value'));
  assert.throws(() => text(TAG.ia5String, hex('80')), pkiError('der_value'));
  assert.throws(() => text(TAG.bmpString, hex('00')), pkiError('der_value'));
  assert.throws(() => text(TAG.bmpString, hex('d800')), pkiError('der_value'));
  assert.throws(() => text(TAG.universalString, hex('00110000')), pkiError('der_value'));
  text(TAG.utf8String, new Uint8Array(4096));
  assert.throws(() => text(TAG.utf8String, new Uint8Array(4097)), pkiError('der_limit'));
});

test('identifiers that cannot be written are refused', () => {
  for (const oid of ['', '1', '3.1', '1.40', '1.2.', '1.02', '1.-2', '1.2.a', `1.2.${'9'.repeat(40)}`]) {
    assert.throws(() => encodeOid(oid), pkiError('argument_invalid'), oid);
  }
});

test('what is written is read again', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(1n << 600n), max: 1n << 600n }),
      (value) => openDer(encodeInteger(value)).readInteger('x') === value,
    ),
  );
  const arcs = fc.array(fc.bigInt({ min: 0n, max: (1n << 100n) - 1n }), { maxLength: 4 });
  const first = fc.oneof(
    fc.tuple(fc.constantFrom(0n, 1n), fc.bigInt({ min: 0n, max: 39n })),
    fc.tuple(fc.constant(2n), fc.bigInt({ min: 0n, max: 1n << 100n })),
  );
  fc.assert(
    fc.property(first, arcs, (head, tail) => {
      const oid = [...head, ...tail].join('.');
      const der = encodeOid(oid);
      if (der.length <= 66) assert.equal(openDer(der).readOid('x'), oid);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: -62135596800, max: 253402300799 }), (seconds) => {
      assert.equal(decodeTime(openDer(encodeTime(seconds * 1000)).read('t')), seconds * 1000);
    }),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 50 }),
      fc.boolean(),
      (bytes, text, flag) => {
        const reader = openDerSequence(
          encodeSequence(encodeOctetString(bytes), encodeBitString(bytes), encodeUtf8String(text), encodeBoolean(flag)),
          'X',
        );
        assert.deepEqual(reader.readOctetString('octets'), bytes);
        assert.deepEqual(reader.readBitString('bits'), { bytes, unusedBits: 0 });
        assert.equal(decodeText(reader.read('text')), text);
        assert.equal(reader.readBoolean('flag'), flag);
        reader.end();
      },
    ),
  );
  // Strict reading accepts one encoding of each tree: writing what was read gives the same bytes.
  const tree = fc.letrec<{ node: Uint8Array }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.uint8Array({ maxLength: 200 }).map(encodeOctetString),
      fc.array(tie('node'), { maxLength: 4 }).map((elements) => encodeSequence(...elements)),
    ),
  })).node;
  const rewrite = (der: Uint8Array): Uint8Array => {
    const reader = openDer(der);
    const element = reader.read('x');
    reader.end();
    if (element.tag !== TAG.sequence) return encodeOctetString(element.contents);
    return encodeSequence(
      ...reader
        .enter(element)
        .rest(99)
        .map(({ bytes }) => rewrite(bytes)),
    );
  };
  fc.assert(fc.property(tree, (der) => assert.deepEqual(rewrite(der), der)));
});
