// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EarClaims } from '@vouchsafe/appraise';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
import { signEar, verifyEar } from '../../src/domain/results/ear-token.ts';
import { jwkOfSpki, signJwt, verifyJwt } from '../../src/domain/results/jws.ts';
import { newSigner } from '../support/signer.ts';

const NOW = Date.UTC(2030, 0, 1);
const CLAIMS = {
  eat_profile: 'tag:ietf.org,2026:rats/ear#03',
  iat: NOW / 1000,
  exp: NOW / 1000 + 60,
  ear_verifier_id: { developer: 'x', build: 'y' },
  submods: {},
} as unknown as EarClaims;

test('an attestation result is a JWT that jose verifies with the published key', async () => {
  // Many, as one signature in 128 has a half with a zero in front.
  for (let i = 0; i < 200; i++) {
    const signer = newSigner();
    const key = jwkOfSpki(signer.spki);
    const token = await signEar(CLAIMS, signer);
    const options = { algorithms: ['ES256'], typ: 'eat+jwt', currentDate: new Date(NOW) };
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [key] }), options);
    assert.deepEqual(payload, CLAIMS);
    assert.equal(protectedHeader.kid, key.kid);
    assert.equal(key.kid, await calculateJwkThumbprint({ ...key }));
    assert.deepEqual(verifyEar(token, [key], NOW), CLAIMS);
  }
});

test('a result that is expired, of another kind, by another key or changed is none', async () => {
  const signer = newSigner();
  const key = jwkOfSpki(signer.spki);
  const token = await signEar(CLAIMS, signer);
  assert.equal(verifyEar(token, [key], NOW + 60_000), undefined);
  assert.equal(verifyEar(token, [jwkOfSpki(newSigner().spki)], NOW), undefined);
  assert.equal(verifyEar(token, [{ ...jwkOfSpki(newSigner().spki), kid: key.kid }], NOW), undefined);
  assert.equal(verifyEar(await signJwt(CLAIMS, 'at+jwt', signer), [key], NOW), undefined);
  const [head = '', body = '', tail = ''] = token.split('.');
  const none = encodeBase64url(Buffer.from(JSON.stringify({ alg: 'none', typ: 'eat+jwt', kid: key.kid })));
  for (const forged of [
    `${none}.${body}.`,
    `${none}.${body}.${tail}`,
    `${head}.${body}.`,
    `${head}.${body}`,
    `${head}.${body}.${tail}.`,
    `${head}.${encodeBase64url(Buffer.from(JSON.stringify({ ...CLAIMS, exp: 9e9 })))}.${tail}`,
    `${head}.${body}.${encodeBase64url(parseBase64url(tail).map((octet, i) => (i === 5 ? octet ^ 1 : octet)))}`,
    '',
    'a.b.c',
  ]) {
    assert.equal(verifyJwt(forged, 'eat+jwt', [key]), undefined, forged);
  }
});
