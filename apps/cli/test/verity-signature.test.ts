// SPDX-License-Identifier: Apache-2.0
// Signatures of root hashes in the forms that are about, and what is said of keys and certificates that will not do.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsTool } from '@vouchsafe/testing';
import { type Outcome, vouchsafe } from './support.ts';
import { formatted } from './verity-support.ts';

function openssl(dir: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
}

/** A folder with a tree, two keys with certificates, and a verifier of the tree's root hash. */
function signed(t: Parameters<typeof formatted>[0]) {
  const { dir, root } = formatted(t);
  for (const name of ['a', 'b']) {
    const key = ['-newkey', 'rsa:2048', '-noenc', '-keyout', `${name}.key`, '-out', `${name}.crt`];
    openssl(dir, 'req', '-x509', ...key, '-subj', `/CN=${name}`);
  }
  const sign = (hash: string, ...options: string[]): Outcome =>
    vouchsafe(dir, 'verity', 'sign', hash, '--key', 'a.key', '--certificate', 'a.crt', ...options);
  const verify = (signature: string, certificate = 'a.crt'): Outcome => {
    const options = ['--root-hash-signature', signature, '--certificate', certificate];
    return vouchsafe(dir, 'verity', 'verify', 'data', 'hash', root, ...options);
  };
  return { dir, root, sign, verify };
}

test('the content of a verity-sig partition is checked as it is', needsTool('openssl'), (t) => {
  const { dir, root, sign, verify } = signed(t);
  assert.equal(sign(root, '--as', 'partition', '-o', 'part').code, 0);
  const good = verify('part');
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /signed by CN=a/);
  assert.equal(verify('part', 'b.crt').code, 1);

  // Of another root hash, though the signature holds for that one.
  sign('00'.repeat(32), '--as', 'partition', '-o', 'other');
  const other = verify('other');
  assert.equal(other.code, 1);
  assert.match(other.stderr, /^vouchsafe: other: .*another image/);

  // The signature of the one with the name of the other.
  const text = readFileSync(join(dir, 'part'), 'latin1');
  const named = text.replace(/"certificateFingerprint":"[0-9a-f]{64}"/, `"certificateFingerprint":"${'0'.repeat(64)}"`);
  assert.notEqual(named, text);
  writeFileSync(join(dir, 'named'), named, 'latin1');
  assert.equal(verify('named').code, 1);
});

test('a signature may be in PEM, and other PEM is named', needsTool('openssl'), (t) => {
  const { dir, root, sign, verify } = signed(t);
  sign(root, '-o', 'der');
  openssl(dir, 'cms', '-cmsout', '-inform', 'DER', '-in', 'der', '-outform', 'PEM', '-out', 'pem');
  assert.equal(verify('pem').code, 0);
  const wrong = verify('a.crt');
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /^vouchsafe: a\.crt: .*CERTIFICATE/);
});

test('what is wrong with a key or certificate names the file and the next step', needsTool('openssl'), (t) => {
  const { dir, root, sign, verify } = signed(t);
  sign(root, '-o', 'sig');
  const noCertificate = verify('sig', 'root');
  assert.equal(noCertificate.code, 3);
  assert.match(noCertificate.stderr, /^vouchsafe: root: /);
  openssl(dir, 'pkey', '-in', 'a.key', '-aes256', '-passout', 'pass:secret', '-out', 'locked.key');
  const withKey = (...options: string[]) => vouchsafe(dir, 'verity', 'sign', root, '-o', 'x', ...options);
  const locked = withKey('--key', 'locked.key', '--certificate', 'a.crt');
  assert.equal(locked.code, 3);
  assert.match(locked.stderr, /^vouchsafe: locked\.key: .*--passphrase-file/);
  const gone = withKey('--key', 'gone.key', '--certificate', 'a.crt');
  assert.equal(gone.code, 3);
  assert.equal(gone.stderr, 'vouchsafe: gone.key: no such file; check the path\n');
  assert.match(withKey('--key', 'a.key', '--certificate', 'root').stderr, /^vouchsafe: root: /);
});
