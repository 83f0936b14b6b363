// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignatureScheme } from '@vouchsafe/crypto';
import {
  contextTag,
  digestOf,
  encodeDigestAlgorithm,
  encodeElement,
  encodeInteger,
  encodeOid,
  encodeSequence,
  encodeSignatureAlgorithm,
  encodeSignerAlgorithm,
  OID,
  openDer,
  type PkiErrorCode,
  readAlgorithm,
  schemeOf,
} from '@vouchsafe/pki';
import { hex, pkiError } from './helpers.ts';

const read = (der: Uint8Array) => readAlgorithm(openDer(der), 'algorithm');
const tagged = (number: number, der: Uint8Array) => encodeElement(contextTag(number, 'constructed'), der);
const mgf1 = (hash: 'sha1' | 'sha256') => encodeSequence(encodeOid(OID.mgf1), encodeDigestAlgorithm(hash));
const pss = (...fields: Uint8Array[]) =>
  schemeOf(read(encodeSequence(encodeOid(OID.rsassaPss), encodeSequence(...fields))));

const SHA256 = tagged(0, encodeDigestAlgorithm('sha256'));
const MGF256 = tagged(1, mgf1('sha256'));
const salt = (size: bigint) => tagged(2, encodeInteger(size));

test('schemes and digests are written as they are read', () => {
  const hashes = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
  const schemes: SignatureScheme[] = [
    ...hashes.map((hash) => ({ kind: 'rsa-pkcs1', hash }) as const),
    ...hashes.map((hash) => ({ kind: 'ecdsa', hash, encoding: 'der' }) as const),
    ...hashes.map((hash) => ({ kind: 'rsa-pss', hash, saltSize: 32 }) as const),
    { kind: 'ed25519' },
  ];
  for (const scheme of schemes) {
    assert.deepEqual(schemeOf(read(encodeSignatureAlgorithm(scheme))), scheme);
    const hash = scheme.kind === 'ed25519' ? 'sha512' : scheme.hash;
    assert.deepEqual(schemeOf(read(encodeSignerAlgorithm(scheme)), hash), scheme);
  }
  for (const hash of [...hashes, 'sha3-224', 'sha3-256', 'sha3-384', 'sha3-512'] as const) {
    assert.equal(digestOf(read(encodeDigestAlgorithm(hash))), hash);
  }
});

test('what has no identifier is not written, what is not known is not read', () => {
  assert.throws(() => encodeDigestAlgorithm('sm3'), pkiError('unsupported'));
  assert.throws(
    () => encodeSignatureAlgorithm({ kind: 'ecdsa', hash: 'sm3', encoding: 'der' }),
    pkiError('unsupported'),
  );
  const anySalt = { kind: 'rsa-pss', hash: 'sha256', saltSize: 'any' } as const;
  assert.throws(() => encodeSignatureAlgorithm(anySalt), pkiError('argument_invalid'));
  assert.throws(() => schemeOf(read(encodeSequence(encodeOid(OID.rsaEncryption)))), pkiError('unsupported'));
  assert.throws(() => digestOf(read(encodeSequence(encodeOid(OID.rsaEncryption)))), pkiError('unsupported'));
});

test('RSASSA-PSS: defaults, and bounds of each parameter', () => {
  assert.deepEqual(pss(), { kind: 'rsa-pss', hash: 'sha1', saltSize: 20 });
  assert.deepEqual(pss(SHA256, MGF256), { kind: 'rsa-pss', hash: 'sha256', saltSize: 20 });
  assert.deepEqual(pss(SHA256, MGF256, salt(446n), tagged(3, encodeInteger(1n))), {
    kind: 'rsa-pss',
    hash: 'sha256',
    saltSize: 446,
  });
  assert.deepEqual(pss(SHA256, MGF256, salt(0n)), { kind: 'rsa-pss', hash: 'sha256', saltSize: 0 });
  const refused: [string, Uint8Array[], PkiErrorCode][] = [
    ['mask function with another digest', [SHA256, tagged(1, mgf1('sha1'))], 'unsupported'],
    ['mask function left out, so with SHA-1', [SHA256], 'unsupported'],
    [
      'another mask function',
      [SHA256, tagged(1, encodeSequence(encodeOid('1.2.3'), encodeDigestAlgorithm('sha256')))],
      'unsupported',
    ],
    ['another trailer', [SHA256, MGF256, tagged(3, encodeInteger(2n))], 'unsupported'],
    ['negative salt', [SHA256, MGF256, salt(-1n)], 'der_value'],
    ['salt of 447 octets', [SHA256, MGF256, salt(447n)], 'der_value'],
    ['fields out of order', [MGF256, SHA256], 'der_trailing'],
    ['two digests', [tagged(0, hex('3004 06022a03 3004 06022a03'))], 'unsupported'],
    ['a field too many', [SHA256, MGF256, hex('0500')], 'der_trailing'],
  ];
  for (const [name, fields, code] of refused) assert.throws(() => pss(...fields), pkiError(code), name);
  assert.throws(() => schemeOf(read(encodeSequence(encodeOid(OID.rsassaPss)))), pkiError('der_tag'));
  assert.throws(() => schemeOf(read(encodeSequence(encodeOid(OID.rsassaPss), hex('0500')))), pkiError('der_tag'));
});
