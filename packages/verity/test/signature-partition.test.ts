// SPDX-License-Identifier: Apache-2.0
// Internal: src/signature/verity-sig-partition.ts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, parseHex, utf8 } from '@vouchsafe/base';
import { decodeCertificates, fingerprintOf } from '@vouchsafe/pki';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import fc from 'fast-check';
import { VerityError, type VerityErrorCode } from '../src/error.ts';
import {
  decodeVeritySigPartition,
  encodeVeritySigPartition,
  MAX_VERITY_SIG_SIZE_BYTES,
  VERITY_SIG_SIZE_BYTES,
} from '../src/signature/verity-sig-partition.ts';

const read = (name: string): Uint8Array =>
  Uint8Array.from(readFileSync(new URL(`../testdata/signature/${name}`, import.meta.url)));

const rootHash = Uint8Array.from({ length: 32 }, (_, i) => i);
const HASH = '00'.repeat(32);

function refused(code: VerityErrorCode): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof VerityError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

test('a partition is compact JSON in this order, then zeros', () => {
  const signature = read('root-hash.p7s');
  const [certificate] = decodeCertificates(read('test-only.pem'));
  assert.ok(certificate);
  const json = read('verity-sig.json');
  const partition = encodeVeritySigPartition({
    rootHash,
    certificateFingerprint: fingerprintOf(certificate),
    signature,
  });
  assert.equal(partition.length, VERITY_SIG_SIZE_BYTES);
  assert.deepEqual(partition.subarray(0, json.length), json);
  assert.ok(partition.subarray(json.length).every((byte) => byte === 0));
  const decoded = decodeVeritySigPartition(partition);
  assert.deepEqual(decoded.signature, signature);
  assert.deepEqual(decoded.rootHash, rootHash);
  assert.deepEqual(decoded.certificateFingerprint, Uint8Array.from(fingerprintOf(certificate)));
});

test('the size ends at what fits and at what systemd reads', () => {
  const value = { rootHash, certificateFingerprint: undefined, signature: new Uint8Array(3) };
  const json = `{"rootHash":"${Buffer.from(rootHash).toString('hex')}","signature":"AAAA"}`;
  assert.deepEqual(encodeVeritySigPartition(value, json.length), utf8(json));
  assert.equal(encodeVeritySigPartition(value, MAX_VERITY_SIG_SIZE_BYTES).length, MAX_VERITY_SIG_SIZE_BYTES);
  for (const size of [json.length - 1, MAX_VERITY_SIG_SIZE_BYTES + 1, 0, -1, 512.5, Number.NaN]) {
    assert.throws(() => encodeVeritySigPartition(value, size), refused('options_invalid'), String(size));
  }
  decodeVeritySigPartition(concatBytes(utf8(json), new Uint8Array(MAX_VERITY_SIG_SIZE_BYTES - json.length)));
  const tooLarge = concatBytes(utf8(json), new Uint8Array(MAX_VERITY_SIG_SIZE_BYTES - json.length + 1));
  assert.throws(() => decodeVeritySigPartition(tooLarge), refused('signature_malformed'));
});

test('what would not be read is not written', () => {
  const value = { rootHash, certificateFingerprint: undefined, signature: new Uint8Array(3) };
  for (const length of [0, 65]) {
    assert.throws(
      () => encodeVeritySigPartition({ ...value, rootHash: new Uint8Array(length) }),
      refused('options_invalid'),
    );
  }
  for (const length of [31, 33]) {
    const certificateFingerprint = new Uint8Array(length);
    assert.throws(() => encodeVeritySigPartition({ ...value, certificateFingerprint }), refused('options_invalid'));
  }
});

test('what systemd reads is read: space, other names, upper case, no fingerprint', () => {
  const text = ` {\n"signature" : "AAAA", "comment":{"a":[1,":"]}, "rootHash":"${'AB'.repeat(32)}"} \n`;
  const { signature, rootHash: hash, certificateFingerprint } = decodeVeritySigPartition(utf8(`${text}\0\0`));
  assert.deepEqual(signature, new Uint8Array(3));
  assert.deepEqual(hash, parseHex('ab'.repeat(32)));
  assert.equal(certificateFingerprint, undefined);
});

test('what is malformed', () => {
  const texts = [
    '',
    '\0',
    'null',
    '[]',
    '"rootHash"',
    '{}',
    '{"rootHash":"00"}',
    `{"rootHash":"${HASH}"}`,
    '{"signature":"AAAA"}',
    `{"rootHash":"${HASH}","signature":"AAAA"`,
    `{"rootHash":"${HASH}","signature":"AAAA"} x`,
    `{"rootHash":"${HASH}","signature":"AAAA"}\0x`,
    `{"rootHash":"${HASH}","signature":"AAAA"}${'\0'.repeat(99)}\n`,
    `{"rootHash":"${HASH}","signature":"AAAA","signature":"AAAA"}`,
    `{"rootHash":"${HASH}","signature":"AAAA","\\u0073ignature":"AAAA"}`,
    `{"rootHash":"${HASH}","signature":"AAAA","x":1,"x":1}`,
    `{"rootHash":1,"signature":"AAAA"}`,
    `{"rootHash":"${HASH}","signature":null}`,
    `{"rootHash":"${HASH}","signature":["AAAA"]}`,
    `{"rootHash":"${HASH}","signature":"AAA"}`,
    `{"rootHash":"${HASH}","signature":"AA AA"}`,
    `{"rootHash":"${HASH}0","signature":"AAAA"}`,
    `{"rootHash":"g0","signature":"AAAA"}`,
    `{"rootHash":"","signature":"AAAA"}`,
    `{"rootHash":"${'00'.repeat(65)}","signature":"AAAA"}`,
    `{"rootHash":"${HASH}","certificateFingerprint":null,"signature":"AAAA"}`,
    `{"rootHash":"${HASH}","certificateFingerprint":"00","signature":"AAAA"}`,
    `{"rootHash":"${HASH}","signature":"AAAA","x":${'['.repeat(16)}${']'.repeat(16)}}`,
    '['.repeat(100_000),
    `{${Array.from({ length: 65 }, (_, i) => `"${i}":1`).join(',')}}`,
    `\ufeff{"rootHash":"${HASH}","signature":"AAAA"}`,
    `{"__proto__":{"rootHash":"${HASH}","signature":"AAAA"}}`,
  ];
  for (const text of texts) {
    assert.throws(() => decodeVeritySigPartition(utf8(text)), refused('signature_malformed'), text.slice(0, 200));
  }
  assert.throws(() => decodeVeritySigPartition(Uint8Array.of(0x22, 0xff, 0x22)), refused('signature_malformed'));
  decodeVeritySigPartition(utf8(`{"rootHash":"${HASH}","signature":"AAAA","x":${'['.repeat(15)}${']'.repeat(15)}}`));
});

test('every truncation of a partition without its zeros is refused', () => {
  const json = read('verity-sig.json');
  for (let length = 0; length < json.length; length++) {
    assert.throws(
      () => decodeVeritySigPartition(json.subarray(0, length)),
      refused('signature_malformed'),
      String(length),
    );
  }
});

test('what is encoded is decoded again', () => {
  const fields = {
    rootHash: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    certificateFingerprint: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
    signature: fc.uint8Array({ maxLength: 2000 }),
  };
  const value = fc.record(fields, { noNullPrototype: true });
  fc.assert(
    fc.property(value, (written) =>
      assert.deepEqual(decodeVeritySigPartition(encodeVeritySigPartition(written)), written),
    ),
  );
});

test('partitions that systemd-repart wrote are reproduced whole', needsVectors('image/ddi'), () => {
  for (const name of ['img-sig', 'foo.sysext', 'bar.confext']) {
    const image = readFileSync(vectorPath(`image/ddi/${name}.trixie.raw`));
    const start = image.indexOf('{"rootHash"');
    const partition = image.subarray(start, start + VERITY_SIG_SIZE_BYTES);
    assert.deepEqual(
      Buffer.from(encodeVeritySigPartition(decodeVeritySigPartition(partition))),
      Buffer.from(partition),
      name,
    );
  }
});
