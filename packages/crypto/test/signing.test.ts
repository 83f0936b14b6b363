// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { type DigestAlgorithm, digest, type SignatureScheme, verifyDigest, verifySignature } from '@vouchsafe/crypto';
import {
  type GeneratedKeyType,
  generateKeyPair,
  importPrivateKey,
  publicKeyOf,
  randomBytes,
  type SigningScheme,
  signDigest,
  signMessage,
} from '@vouchsafe/crypto/signing';
import { needsTool, tempDir } from '@vouchsafe/testing';

const message = utf8('an image');
const ed25519 = generateKeyPair('ed25519');
const p256 = generateKeyPair('P-256');
const rsa = generateKeyPair('rsa-2048');

const SCHEMES: Record<GeneratedKeyType, SigningScheme> = {
  'rsa-2048': { kind: 'rsa-pkcs1', hash: 'sha256' },
  'rsa-3072': { kind: 'rsa-pkcs1', hash: 'sha384' },
  'rsa-4096': { kind: 'rsa-pkcs1', hash: 'sha512' },
  'P-256': { kind: 'ecdsa', hash: 'sha256', encoding: 'der' },
  'P-384': { kind: 'ecdsa', hash: 'sha384', encoding: 'raw' },
  'P-521': { kind: 'ecdsa', hash: 'sha512', encoding: 'raw' },
  ed25519: { kind: 'ed25519' },
};

// RSA-3072 and RSA-4096 take seconds to generate, and differ from RSA-2048 in one number.
for (const type of ['rsa-2048', 'P-256', 'P-384', 'P-521', 'ed25519'] as const) {
  test(`${type}: a generated key comes back from its PEM, and what it signs is good`, () => {
    const made = { 'rsa-2048': rsa, 'P-256': p256, ed25519 }[type as string] ?? generateKeyPair(type);
    const key = importPrivateKey(utf8(made.privateKeyPem));
    assert.deepEqual(key.algorithm, made.publicKey.algorithm);
    assert.deepEqual(publicKeyOf(key).spki, made.publicKey.spki);
    const signature = signMessage(key, SCHEMES[type], message);
    assert.equal(signature.constructor, Uint8Array);
    assert.equal(verifySignature(made.publicKey, SCHEMES[type], message, signature), true);
    assert.equal(verifySignature(made.publicKey, SCHEMES[type], utf8('another image'), signature), false);
  });
}

test('RSA and Ed25519 sign the same way each time; a digest as its message', () => {
  assert.deepEqual(
    signMessage(ed25519.privateKey, { kind: 'ed25519' }, message),
    signMessage(ed25519.privateKey, { kind: 'ed25519' }, message),
  );
  for (const hash of ['sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'ripemd160'] satisfies DigestAlgorithm[]) {
    const scheme = { kind: 'rsa-pkcs1', hash } as const;
    const signature = signDigest(rsa.privateKey, scheme, digest(hash, message));
    assert.deepEqual(signature, signDigest(rsa.privateKey, scheme, digest(hash, message)));
    assert.deepEqual(signature, signMessage(rsa.privateKey, scheme, message));
    assert.equal(verifyDigest(rsa.publicKey, scheme, digest(hash, message), signature), true);
  }
});

test('the signature of a digest is byte for byte that of openssl', needsTool('openssl'), (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'key.pem'), rsa.privateKeyPem, { mode: 0o600 });
  writeFileSync(join(dir, 'message'), message);
  for (const hash of ['sha256', 'sha512', 'sha3-384'] satisfies DigestAlgorithm[]) {
    const theirs = execFileSync('openssl', ['dgst', `-${hash}`, '-sign', join(dir, 'key.pem'), join(dir, 'message')]);
    const ours = signDigest(rsa.privateKey, { kind: 'rsa-pkcs1', hash }, digest(hash, message));
    assert.equal(toHex(ours), toHex(theirs));
  }
});

test('a key of another kind, or a digest that is not signed: an error', () => {
  const sign = (scheme: SigningScheme) => () => signMessage(p256.privateKey, scheme, message);
  assert.throws(sign({ kind: 'rsa-pkcs1', hash: 'sha256' }), { code: 'key_mismatch' });
  assert.throws(sign({ kind: 'ed25519' }), { code: 'key_mismatch' });
  assert.throws(sign({ kind: 'ecdsa', hash: 'sm3', encoding: 'der' }), { code: 'unsupported' });
  const scheme = { kind: 'rsa-pkcs1', hash: 'sha256' } as const;
  assert.throws(() => signDigest(ed25519.privateKey, scheme, digest('sha256', message)), { code: 'key_mismatch' });
  assert.throws(() => signDigest(rsa.privateKey, { kind: 'rsa-pkcs1', hash: 'blake2b-512' }, new Uint8Array(64)), {
    code: 'unsupported',
  });
  assert.throws(() => signDigest(rsa.privateKey, scheme, new Uint8Array(31)), RangeError);
  assert.throws(() => publicKeyOf({ algorithm: { kind: 'ed25519' } }), { code: 'invalid_key' });
});

test('every form that openssl writes a private key in', needsTool('openssl'), (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'in.pem');
  const convert = (pem: string, ...args: string[]): Uint8Array => {
    writeFileSync(path, pem, { mode: 0o600 });
    const [command = '', ...rest] = args;
    return execFileSync('openssl', [command, '-in', path, ...rest], { stdio: ['ignore', 'pipe', 'ignore'] });
  };
  const secret = ['-passout', 'pass:correct horse'];
  const plain: [string, Uint8Array, Uint8Array][] = [
    ['PKCS#1', convert(rsa.privateKeyPem, 'rsa', '-traditional'), rsa.publicKey.spki],
    ['SEC1', convert(p256.privateKeyPem, 'ec'), p256.publicKey.spki],
    ['PKCS#8 DER', convert(rsa.privateKeyPem, 'pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'), rsa.publicKey.spki],
    [
      'PKCS#8 DER, Ed25519',
      convert(ed25519.privateKeyPem, 'pkcs8', '-topk8', '-nocrypt', '-outform', 'DER'),
      ed25519.publicKey.spki,
    ],
  ];
  for (const [what, bytes, spki] of plain) {
    assert.deepEqual(publicKeyOf(importPrivateKey(bytes)).spki, spki, what);
    assert.deepEqual(publicKeyOf(importPrivateKey(bytes, 'not needed')).spki, spki, what);
  }
  const encrypted: [string, Uint8Array, Uint8Array][] = [
    ['PBES2', convert(rsa.privateKeyPem, 'pkcs8', '-topk8', ...secret), rsa.publicKey.spki],
    ['PBES2 with scrypt', convert(p256.privateKeyPem, 'pkcs8', '-topk8', '-scrypt', ...secret), p256.publicKey.spki],
    [
      'PBES2 in DER',
      convert(ed25519.privateKeyPem, 'pkcs8', '-topk8', '-outform', 'DER', ...secret),
      ed25519.publicKey.spki,
    ],
    [
      'PKCS#12 derivation',
      convert(p256.privateKeyPem, 'pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', ...secret),
      p256.publicKey.spki,
    ],
    ['old PEM, RSA', convert(rsa.privateKeyPem, 'rsa', '-traditional', '-aes256', ...secret), rsa.publicKey.spki],
    ['old PEM, EC', convert(p256.privateKeyPem, 'ec', '-des3', ...secret), p256.publicKey.spki],
  ];
  for (const [what, bytes, spki] of encrypted) {
    assert.deepEqual(publicKeyOf(importPrivateKey(bytes, 'correct horse')).spki, spki, what);
    assert.throws(
      () => importPrivateKey(bytes),
      { code: 'wrong_passphrase', message: /no passphrase was given/ },
      what,
    );
    assert.throws(() => importPrivateKey(bytes, 'battery staple'), { code: 'wrong_passphrase' }, what);
    assert.throws(() => importPrivateKey(bytes, ''), { code: 'wrong_passphrase' }, what);
  }
});

test('a key among other blocks is found; two keys, none, or a public one are told apart', () => {
  const pem = p256.privateKeyPem;
  const other = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  assert.equal(importPrivateKey(utf8(`Bag Attributes\n${other}${pem}${other}`)).algorithm.kind, 'ec');
  const refused: [string, string, RegExp][] = [
    [pem + pem, 'invalid_key', /found 2/],
    ['', 'invalid_key', /no PEM block/],
    ['just text', 'invalid_key', /no PEM block/],
    [other, 'invalid_key', /CERTIFICATE/],
    [pem.slice(0, 100), 'invalid_key', /cut short/],
    [pem.replace('PRIVATE', 'PUBLIC'), 'invalid_key', /PUBLIC KEY/],
    [pem.replaceAll('PRIVATE KEY', 'OPENSSH PRIVATE KEY'), 'unsupported', /ssh-keygen/],
    [pem.replaceAll('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'), 'invalid_key', /EncryptedPrivateKeyInfo/],
    [`${pem}${' '.repeat(262_144)}`, 'invalid_key', /at most 262144/],
  ];
  for (const [text, code, wording] of refused) {
    assert.throws(() => importPrivateKey(utf8(text)), { name: 'CryptoError', code, message: wording });
  }
});

test('a truncated, grown or damaged PKCS#8 is refused, or its public half still is a key', () => {
  const der = Uint8Array.from(Buffer.from(p256.privateKeyPem.replace(/-----.*-----/g, ''), 'base64'));
  for (let n = 0; n < der.length; n++)
    assert.throws(() => importPrivateKey(der.subarray(0, n)), { code: 'invalid_key' });
  assert.throws(() => importPrivateKey(concatBytes(der, Uint8Array.of(0))), { code: 'invalid_key' });
  for (let at = 0; at < der.length; at++) {
    try {
      importPrivateKey(der.with(at, der[at]! ^ 1));
    } catch (error) {
      assert.equal((error as Error).name, 'CryptoError', `octet ${at}: ${error}`);
    }
  }
});

test('keys of kinds that are not taken: unsupported', needsTool('openssl'), () => {
  for (const args of [
    ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:1024'],
    ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
    ['-algorithm', 'X25519'],
    ['-algorithm', 'ED448'],
  ]) {
    const pem = execFileSync('openssl', ['genpkey', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    assert.throws(() => importPrivateKey(pem), { code: 'unsupported' }, args.join(' '));
  }
});

test('halves that do not belong together sign nothing', () => {
  // An EC key whose public half is another's: both are in PKCS#8, the public one at the end (RFC 5915, section 3).
  const bytes = Buffer.from(p256.privateKeyPem.replace(/-----.*-----/g, ''), 'base64');
  const stranger = generateKeyPair('P-256').publicKey.spki;
  const mixed = concatBytes(bytes.subarray(0, -64), stranger.subarray(-64));
  const scheme: SignatureScheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' };
  assert.throws(() => signMessage(importPrivateKey(mixed), scheme, message), { code: 'invalid_key' });
});

test('randomBytes: as many as asked for, and not the same twice', () => {
  for (const size of [0, 1, 32, 65536]) assert.equal(randomBytes(size).length, size);
  assert.notDeepEqual(randomBytes(32), randomBytes(32));
  for (const size of [-1, 1.5, 65537, Number.NaN]) assert.throws(() => randomBytes(size), RangeError);
});

test('no private key is exported by what it says of itself', () => {
  assert.deepEqual(Object.keys(rsa.privateKey), ['algorithm']);
  assert.doesNotMatch(JSON.stringify([rsa.privateKey, p256.privateKey]), /PRIVATE/);
});

test('signing is no part of the entry that checks', () => {
  const source = readFileSync(new URL('../src/node/index.ts', import.meta.url), 'utf8');
  assert.doesNotMatch(source, /signing/);
});
