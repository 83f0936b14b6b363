// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import test from 'node:test';
import { ascii } from '@vouchsafe/base';
import * as node from '@vouchsafe/crypto';
import * as browser from '@vouchsafe/crypto/browser';

test('RSAES-OAEP: OpenSSL opens what either entry makes, and both make the same of the same seed', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  const message = Uint8Array.from({ length: 32 }, (_, i) => i);
  const label = ascii('DUPLICATE\0');
  for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    const seed = new Uint8Array(node.digestSize(hash)).fill(0x5a);
    const encrypted = [node, browser].map((entry) =>
      entry.encryptRsaOaep(entry.importPublicKey(spki), message, { hash, label, seed }),
    );
    assert.deepEqual(encrypted[0], encrypted[1]);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const opened = privateDecrypt({ key: privateKey, padding, oaepHash: hash, oaepLabel: label }, encrypted[0]!);
    assert.deepEqual(new Uint8Array(opened), message);
  }
});
