// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { concatBytes, toHex } from '@vouchsafe/base';
import {
  certificateLists,
  decodeSignatureLists,
  decodeVariableStore,
  type EfiSignatureList,
  encodeSignatureLists,
  liveVariables,
  SIGNATURE_TYPES,
  type SignatureTypeName,
} from '@vouchsafe/pe';
import { needsTool, needsVectors, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import { imagePath, readImage, testCertificate } from './support.ts';

const VECTORS = needsVectors('image', 'efivars');
const OWNER = '55c96959-7948-4709-85a5-aff5393936a4';

test('the lists of efitools and sbsiglist, decoded and written again', VECTORS, () => {
  for (const [file, key] of [
    ['PK.esl', 'PK'],
    ['KEK.esl', 'KEK'],
    ['db.esl', 'db'],
    ['db.sbsiglist.esl', 'db'],
  ] as const) {
    const bytes = readImage('efivars', file);
    const lists = decodeSignatureLists(bytes);
    assert.deepEqual(encodeSignatureLists(lists), bytes, file);
    const owner = lists[0]?.signatures[0]?.owner ?? '';
    assert.deepEqual(encodeSignatureLists(certificateLists([testCertificate(key).bytes], owner)), bytes, file);
  }
});

test("db and dbx of Microsoft's store: hashes share a list, each certificate has its own", VECTORS, () => {
  const store = decodeVariableStore(readImage('efivars', 'OVMF_VARS_4M.ms.bookworm.fd'));
  const named = (name: string): EfiSignatureList[] => {
    const variable = liveVariables(store).find((candidate) => candidate.name === name);
    assert.ok(variable, name);
    const lists = decodeSignatureLists(variable.data);
    assert.deepEqual(encodeSignatureLists(lists), variable.data, name);
    return lists;
  };
  for (const { type, signatures } of named('db')) {
    assert.equal(type, 'x509');
    assert.equal(signatures.length, 1);
  }
  assert.ok(named('dbx').some(({ type, signatures }) => type === 'sha256' && signatures.length >= 1));
});

const anyOwner = fc.uuid();
const NAMES = Object.keys(SIGNATURE_TYPES) as SignatureTypeName[];
const anyList = fc.constantFrom(...NAMES, '12345678-1234-5678-9abc-123456789abc').chain((type) => {
  const known = NAMES.find((name) => name === type);
  const size = known === undefined ? undefined : SIGNATURE_TYPES[known].dataBytes;
  const dataBytes = size === undefined ? fc.integer({ min: 1, max: 40 }) : fc.constant(size);
  return dataBytes.chain((length) =>
    fc.record(
      {
        type: fc.constant(type),
        signatures: fc.array(
          fc.record(
            { owner: anyOwner, data: fc.uint8Array({ minLength: length, maxLength: length }) },
            { noNullPrototype: true },
          ),
          { minLength: 1, maxLength: 4 },
        ),
      },
      { noNullPrototype: true },
    ),
  );
});

test('round trip, and what is accepted is written as it was', () => {
  fc.assert(
    fc.property(fc.array(anyList, { maxLength: 4 }), (lists) => {
      assert.deepEqual(decodeSignatureLists(encodeSignatureLists(lists)), lists);
    }),
  );
});

/** One SHA-256 list with two entries. */
function hashes(): Uint8Array {
  const signatures = [1, 2].map((fill) => ({ owner: OWNER, data: new Uint8Array(32).fill(fill) }));
  return encodeSignatureLists([{ type: 'sha256', signatures }]);
}

test('every truncation, and an octet too many, is an error', () => {
  const bytes = hashes();
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => decodeSignatureLists(bytes.subarray(0, length)), { code: 'signature_list_malformed' });
  }
  assert.throws(() => decodeSignatureLists(concatBytes(bytes, new Uint8Array(1))), {
    code: 'signature_list_malformed',
  });
  assert.deepEqual(decodeSignatureLists(new Uint8Array()), []);
});

/** The tricks of attacks.md A23 and GHSA-9r4w: field offset in the list's header, value. */
const TRICKS: readonly [what: string, offset: number, value: number][] = [
  ['SignatureListSize 0', 16, 0],
  ['SignatureListSize below its header', 16, 27],
  ['SignatureListSize above the input', 16, 28 + 96 + 1],
  ['SignatureListSize that would wrap', 16, 0xffff_ffff],
  ['SignatureHeaderSize 1', 20, 1],
  ['SignatureHeaderSize that eats the list', 20, 96],
  ['SignatureHeaderSize that would wrap', 20, 0xffff_fff0],
  ['SignatureSize 0', 24, 0],
  ['SignatureSize of the owner alone', 24, 16],
  ['SignatureSize one less', 24, 47],
  ['SignatureSize one more', 24, 49],
  ['SignatureSize of both entries', 24, 96],
  ['SignatureSize huge', 24, 0xffff_ffff],
];

for (const [what, offset, value] of TRICKS) {
  test(`refused: ${what}`, () => {
    const bytes = hashes();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    assert.throws(() => decodeSignatureLists(bytes), { name: 'PeError', code: 'signature_list_malformed', offset: 0 });
  });
}

test('a second list that lies is told by its offset', () => {
  const bytes = concatBytes(hashes(), hashes());
  new DataView(bytes.buffer).setUint32(hashes().length + 24, 0, true);
  assert.throws(() => decodeSignatureLists(bytes), { code: 'signature_list_malformed', offset: hashes().length });
});

test('4 MiB of lists without signatures end at the limit', () => {
  const list = encodeSignatureLists([{ type: 'sha256', signatures: [] }]);
  const many = new Uint8Array(list.length * 65_537);
  for (let at = 0; at < many.length; at += list.length) many.set(list, at);
  assert.equal(decodeSignatureLists(many.subarray(list.length)).length, 65_536);
  assert.throws(() => decodeSignatureLists(many), { code: 'limit' });
  assert.throws(() => decodeSignatureLists(new Uint8Array(4 * 1024 * 1024 + 1)), { code: 'limit' });
});

test('signatures of other sizes than their type or list has cannot be written', () => {
  const data = (length: number) => ({ owner: OWNER, data: new Uint8Array(length) });
  for (const list of [
    { type: 'sha256', signatures: [data(31)] },
    { type: 'x509', signatures: [data(5), data(6)] },
    { type: 'x509', signatures: [data(0)] },
  ]) {
    assert.throws(() => encodeSignatureLists([list]), { code: 'options_invalid' });
  }
  assert.throws(() => encodeSignatureLists([{ type: 'no guid', signatures: [] }]), { name: 'CodecError' });
});

test('the list that cert-to-efi-sig-list writes', needsTool('cert-to-efi-sig-list'), (t) => {
  if (VECTORS.skip !== undefined) return t.skip(VECTORS.skip);
  const out = join(tempDir(t), 'db.esl');
  execFileSync('cert-to-efi-sig-list', ['-g', OWNER, imagePath('uki', 'keys', 'db.crt'), out], { stdio: 'ignore' });
  const ours = encodeSignatureLists(certificateLists([testCertificate('db').bytes], OWNER));
  assert.equal(toHex(ours), readFileSync(out).toString('hex'));
});
