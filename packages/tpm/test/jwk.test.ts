// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import {
  jwkOf,
  objectAttributes,
  type PublicJwk,
  pemOf,
  publicAreaFromJwk,
  publicAreaFromPem,
  publicAreaFromSpki,
  sealedTemplate,
  spkiOf,
  spkiOfJwk,
} from '@vouchsafe/tpm';
import { codeOf } from './support.ts';

const options = { nameAlg: 'sha256', objectAttributes: objectAttributes('userWithAuth', 'signEncrypt') } as const;
const KEYS = [
  () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
  () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
];

test('public areas as JWK and PEM are what Node makes of the same key, and come back', () => {
  for (const make of KEYS) {
    const { publicKey } = make();
    const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const area = publicAreaFromSpki(spki, options);
    const jwk = jwkOf(area);
    assert.deepEqual({ ...jwk }, publicKey.export({ format: 'jwk' }));
    assert.deepEqual(
      new Uint8Array(createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'der' })),
      spki,
    );
    assert.deepEqual(spkiOfJwk(jwk), spki);
    assert.deepEqual(publicAreaFromJwk(jwk, options), area);
    assert.equal(pemOf(area), publicKey.export({ type: 'spki', format: 'pem' }));
    assert.deepEqual(publicAreaFromPem(pemOf(area), options), area);
  }
});

test('a coordinate with leading zeros keeps them in a JWK, though a TPM may leave them out', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const area = publicAreaFromSpki(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })), options);
  assert.ok(area.type === 'ecc');
  const short = { ...area, unique: { x: Uint8Array.of(5), y: area.unique.y } };
  const jwk = jwkOf(short);
  assert.ok(jwk.kty === 'EC');
  assert.equal(Buffer.from(jwk.x, 'base64url').length, 32);
  assert.deepEqual(jwk, jwkOf({ ...short, unique: { ...short.unique, x: new Uint8Array(32).with(31, 5) } }));
});

test('what is no key that we take is refused', () => {
  assert.equal(
    codeOf(() => jwkOf(sealedTemplate().value)),
    'key_unsupported',
  );
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const good = publicKey.export({ format: 'jwk' }) as unknown as Extract<PublicJwk, { kty: 'EC' }>;
  const bad: readonly object[] = [
    { ...good, crv: 'secp256k1' },
    { ...good, kty: 'OKP' },
    { ...good, x: `${good.x}AA` },
    { ...good, x: good.x.slice(1) },
    { ...good, x: `${good.x.slice(0, -1)}=` },
    { ...good, y: `${good.y.slice(0, -1)}+` },
    { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    { kty: 'RSA', n: '', e: '' },
  ];
  for (const jwk of bad) {
    assert.equal(
      codeOf(() => publicAreaFromJwk(jwk as PublicJwk, options)),
      'key_unsupported',
      JSON.stringify(jwk),
    );
  }
  const spki = spkiOf(publicAreaFromJwk(good, options));
  assert.equal(spki.length, 91);
  const pem = pemOf(publicAreaFromJwk(good, options));
  for (const text of [pem + pem, pem.replaceAll('PUBLIC', 'PRIVATE'), '']) {
    assert.match(
      codeOf(() => publicAreaFromPem(text, options)),
      /key_unsupported|pem_/,
    );
  }
});
