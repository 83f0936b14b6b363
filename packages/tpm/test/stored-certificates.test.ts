// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { findStoredCertificates } from '@vouchsafe/tpm';
import fc from 'fast-check';

/** A SEQUENCE of so many octets of content, in the lengths that certificates have. */
const der = (size: number, fill = 0x42): Uint8Array =>
  concatBytes(
    size < 0x80 ? Uint8Array.of(0x30, size) : Uint8Array.of(0x30, 0x82, size >> 8, size & 0xff),
    new Uint8Array(size).fill(fill),
  );
const zeros = (n: number): Uint8Array => new Uint8Array(n);
const ones = (n: number): Uint8Array => new Uint8Array(n).fill(0xff);

test('one certificate, alone, padded, or with the header of TPM 1.2 in front', () => {
  const certificate = der(900);
  const header = Uint8Array.of(0x10, 0x01, 0x00, certificate.length >> 8, certificate.length & 0xff);
  const full = Uint8Array.of(0x10, 0x02);
  for (const [front, back] of [
    [zeros(0), zeros(0)],
    [zeros(0), zeros(100)],
    [zeros(0), ones(100)],
    [zeros(0), concatBytes(ones(3), zeros(9))],
    [header, ones(7)],
    [concatBytes(header, full), zeros(0)],
  ] as const) {
    const found = findStoredCertificates(concatBytes(front, certificate, back));
    assert.deepEqual(found, { certificates: [certificate], hasForeignBytes: false });
  }
});

test('a chain, one after the other, also short ones', () => {
  const chain = [der(900), der(1200, 7), der(20)];
  assert.deepEqual(findStoredCertificates(concatBytes(...chain, ones(40))).certificates, chain);
});

test('what is no certificate gives none, and is told of', () => {
  const cut = der(900).subarray(0, -1);
  const indefinite = Uint8Array.of(0x30, 0x80, 0, 0);
  const huge = Uint8Array.of(0x30, 0x83, 0xff, 0xff, 0xff, 0);
  const tooLong = Uint8Array.of(0x30, 0x84, 0, 0, 0, 1, 0);
  for (const contents of [cut, indefinite, huge, tooLong, Uint8Array.of(0x30), Uint8Array.of(1, 2, 3)]) {
    assert.deepEqual(findStoredCertificates(contents), { certificates: [], hasForeignBytes: true });
  }
  for (const contents of [zeros(0), zeros(50), ones(50)]) {
    assert.deepEqual(findStoredCertificates(contents), { certificates: [], hasForeignBytes: false });
  }
  const after = findStoredCertificates(concatBytes(der(9), Uint8Array.of(1)));
  assert.deepEqual(after, { certificates: [der(9)], hasForeignBytes: true });
});

test('the bounds: 16 KiB a certificate, 32 in a chain', () => {
  const largest = der(16_384 - 4);
  assert.equal(findStoredCertificates(largest).certificates.length, 1);
  assert.equal(findStoredCertificates(der(16_384 - 3)).certificates.length, 0);
  const many = concatBytes(...Array.from({ length: 33 }, () => der(5)));
  const found = findStoredCertificates(many);
  assert.equal(found.certificates.length, 32);
  assert.equal(found.hasForeignBytes, true);
});

test('any octets are taken apart without an error, and what is found lies in them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (contents) => {
      const { certificates } = findStoredCertificates(contents);
      assert.ok(certificates.reduce((sum, { length }) => sum + length, 0) <= contents.length);
    }),
  );
});
