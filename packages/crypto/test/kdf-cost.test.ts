// SPDX-License-Identifier: Apache-2.0
/** An encrypted key says itself how much work opening it takes; no such number is believed beyond a limit. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseHex } from '@vouchsafe/base';
import { importPrivateKey } from '@vouchsafe/crypto/signing';
import { der } from './suite/der-writer.ts';

const oid = (hex: string) => der(0x06, parseHex(hex));
const integer = (hex: string) => der(0x02, parseHex(hex));
const SALT = der(0x04, new Uint8Array(8));
const AES_256_CBC = der(0x30, oid('60864801650304012a'), der(0x04, new Uint8Array(16)));

function encryptedKey(derivation: string, ...parameters: readonly Uint8Array[]): Uint8Array {
  const kdf = der(0x30, oid(derivation), der(0x30, SALT, ...parameters));
  const scheme = der(0x30, oid('2a864886f70d01050d'), der(0x30, kdf, AES_256_CBC));
  return der(0x30, scheme, der(0x04, new Uint8Array(48)));
}

const PBKDF2 = '2a864886f70d01050c';
const SCRYPT = '2b06010401da47040b';

test('PBKDF2: 10,000,001 iterations and more are refused, before any work', () => {
  for (const iterations of ['00989681', '7fffffff', '00ffffffffffffffff', `01${'00'.repeat(12)}`]) {
    assert.throws(() => importPrivateKey(encryptedKey(PBKDF2, integer(iterations)), 'x'), {
      code: 'invalid_key',
      message: /takes/,
    });
  }
});

test('PBKDF2: 2,048 iterations are done, and the passphrase is found wrong', () => {
  assert.throws(() => importPrivateKey(encryptedKey(PBKDF2, integer('0800')), 'x'), { code: 'wrong_passphrase' });
});

test('scrypt: the product of its three numbers is bounded', () => {
  const costly = encryptedKey(SCRYPT, integer('4000'), integer('08'), integer('0081')); // 2^14 · 8 · 129
  assert.throws(() => importPrivateKey(costly, 'x'), { code: 'invalid_key', message: /scrypt/ });
  const usual = encryptedKey(SCRYPT, integer('4000'), integer('08'), integer('01'));
  assert.throws(() => importPrivateKey(usual, 'x'), { code: 'wrong_passphrase' });
});

test('the old scheme without PBES2 is bounded too', () => {
  const scheme = der(0x30, oid('2a864886f70d010c0103'), der(0x30, SALT, integer('7fffffff')));
  const key = der(0x30, scheme, der(0x04, new Uint8Array(48)));
  assert.throws(() => importPrivateKey(key, 'x'), { code: 'invalid_key', message: /iterations/ });
});

test('a negative or missing number is a damaged file', () => {
  assert.throws(() => importPrivateKey(encryptedKey(PBKDF2), 'x'), { code: 'invalid_key' });
  assert.throws(() => importPrivateKey(encryptedKey(PBKDF2, integer('ff')), 'x'), { code: 'invalid_key' });
});
