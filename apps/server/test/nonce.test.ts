// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { ServerError } from '@vouchsafe/server';
import { issueNonce, NONCE_BYTES, openNonce } from '../src/domain/attestation/nonce.ts';

const KEY = { bytes: new Uint8Array(32).fill(7) };
const ALICE = { deviceId: 'alice', akName: '000b11' };
const NOW_MS = 1_796_000_000_123;
const PLAIN = { wantsLaunch: false };

const invalid = (error: unknown): boolean => error instanceof ServerError && error.code === 'challenge_invalid';

test('A2: ten thousand nonces are apart, and none has fewer than 20 random octets', () => {
  const nonces = Array.from({ length: 10_000 }, () => issueNonce(KEY, ALICE, NOW_MS, PLAIN));
  assert.equal(new Set(nonces.map((nonce) => toHex(nonce))).size, nonces.length);
  // The time is the same and the device too: what is left must differ in each place, as random octets do.
  const random = nonces.map((nonce) => nonce.subarray(6, 26));
  for (let at = 0; at < 20; at++) assert.equal(new Set(random.map((octets) => octets[at])).size, 256, `octet ${at}`);
});

test('a nonce says when it was issued and what was asked for', () => {
  const nonce = issueNonce(KEY, ALICE, NOW_MS, { wantsLaunch: true });
  assert.equal(nonce.length, NONCE_BYTES);
  assert.deepEqual(openNonce(KEY, ALICE, nonce), { issuedAtMs: NOW_MS, wantsLaunch: true });
});

test('A1: a nonce is of one device, one attestation key and one service', () => {
  const nonce = issueNonce(KEY, ALICE, NOW_MS, PLAIN);
  assert.throws(() => openNonce(KEY, { ...ALICE, deviceId: 'bob' }, nonce), invalid);
  assert.throws(() => openNonce(KEY, { ...ALICE, akName: '000b12' }, nonce), invalid);
  assert.throws(() => openNonce({ bytes: new Uint8Array(32).fill(8) }, ALICE, nonce), invalid);
});

test('no bit of a nonce can be changed, and no octet left out or added', () => {
  const nonce = issueNonce(KEY, ALICE, NOW_MS, PLAIN);
  for (let bit = 0; bit < 8 * NONCE_BYTES; bit++) {
    const changed = nonce.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => openNonce(KEY, ALICE, changed), invalid, `bit ${bit}`);
  }
  for (let length = 0; length < NONCE_BYTES; length++) {
    assert.throws(() => openNonce(KEY, ALICE, nonce.slice(0, length)), invalid);
  }
  assert.throws(() => openNonce(KEY, ALICE, Uint8Array.from([...nonce, 0])), invalid);
});
