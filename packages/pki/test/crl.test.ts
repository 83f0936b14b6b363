// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  type CrlInput,
  decodeCrl,
  formatCertificate,
  formatCrl,
  importKey,
  isCrlSignedBy,
  issueCrl,
  parsePem,
} from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { below, leafOf, NOW, root, START } from '@vouchsafe/testing/authorities';
import fc from 'fast-check';
import { pkiError, withOctet } from './helpers.ts';

const AUTHORITY = { keyUsage: ['keyCertSign', 'cRLSign'] } as const;
const HOUR = 3_600_000;

const INPUT: CrlInput = {
  crlNumber: 7n,
  thisUpdateMs: NOW,
  nextUpdateMs: NOW + HOUR,
  revoked: [
    { serialNumber: 5n, revokedAtMs: START, reason: 'privilegeWithdrawn' },
    { serialNumber: (1n << 126n) + 3n, revokedAtMs: START + 1000 },
  ],
};

test('a list says what was asked for, and is signed by its issuer', async () => {
  const authority = await root('authority', AUTHORITY);
  const crl = await issueCrl(INPUT, authority);
  assert.equal(crl.issuer.text, 'CN=authority');
  assert.equal(crl.crlNumber, 7n);
  assert.equal(crl.thisUpdateMs, NOW);
  assert.equal(crl.nextUpdateMs, NOW + HOUR);
  assert.deepEqual(crl.revoked, INPUT.revoked);
  assert.ok(isCrlSignedBy(crl, importKey(authority.certificate.publicKey.bytes)));
  const other = await root('authority', AUTHORITY);
  assert.ok(!isCrlSignedBy(crl, importKey(other.certificate.publicKey.bytes)));
  const [block] = parsePem(formatCrl(crl), 'X509 CRL');
  assert.deepEqual(block?.bytes, crl.bytes);
});

test('an empty list has no field of entries', async () => {
  const crl = await issueCrl({ ...INPUT, revoked: [] }, await root('authority', AUTHORITY));
  assert.deepEqual(decodeCrl(crl.bytes).revoked, []);
});

test('any list is read back', async () => {
  const authority = await root('authority', AUTHORITY);
  const reasons = [undefined, 'keyCompromise', 'superseded', 'certificateHold', 'aACompromise'] as const;
  const entry = fc
    .record({
      serialNumber: fc.bigInt({ min: 1n, max: (1n << 159n) - 1n }),
      revokedAtS: fc.integer({ min: 0, max: 4_000_000_000 }),
      reason: fc.constantFrom(...reasons),
    })
    .map(({ serialNumber, revokedAtS, reason }) => ({
      serialNumber,
      revokedAtMs: revokedAtS * 1000,
      ...(reason === undefined ? {} : { reason }),
    }));
  const number = fc.bigInt({ min: 0n, max: (1n << 159n) - 1n });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 20 }), number, async (revoked, crlNumber) => {
      const crl = await issueCrl({ ...INPUT, revoked, crlNumber }, authority);
      assert.deepEqual(crl.revoked, revoked);
      assert.equal(crl.crlNumber, crlNumber);
    }),
    { numRuns: 30 },
  );
});

test('a long list is encoded and read', async () => {
  const revoked = Array.from({ length: 150_000 }, (_, i) => ({ serialNumber: BigInt(i + 1), revokedAtMs: START }));
  const crl = await issueCrl({ ...INPUT, revoked }, await root('authority', AUTHORITY));
  assert.equal(crl.revoked.length, revoked.length);
  assert.deepEqual(crl.revoked.at(-1), revoked.at(-1));
});

test('bounds of what can be issued', async () => {
  const authority = await root('authority', AUTHORITY);
  const refused: Partial<CrlInput>[] = [
    { crlNumber: -1n },
    { crlNumber: 1n << 159n },
    { nextUpdateMs: NOW - 1000 },
    { thisUpdateMs: NOW + 0.5 },
    { revoked: [{ serialNumber: 0n, revokedAtMs: NOW }] },
    { revoked: [{ serialNumber: 1n << 159n, revokedAtMs: NOW }] },
    { revoked: [{ serialNumber: 1n, revokedAtMs: Number.NaN }] },
  ];
  for (const [i, change] of refused.entries()) {
    await assert.rejects(issueCrl({ ...INPUT, ...change }, authority), pkiError('argument_invalid'), String(i));
  }
  const stranger = { ...authority, signer: (await root('stranger')).signer };
  await assert.rejects(issueCrl(INPUT, stranger), pkiError('key_mismatch'));
});

test('malformed: every truncation, a trailing octet, an unknown reason, another version', async () => {
  const { bytes } = await issueCrl(INPUT, await root('authority', AUTHORITY));
  for (let size = 0; size < bytes.length; size++) {
    assert.throws(() => decodeCrl(bytes.subarray(0, size)), { name: 'PkiError' }, `${size} octets`);
  }
  assert.throws(() => decodeCrl(Uint8Array.from([...bytes, 0])), pkiError('der_trailing'));
  const at = Buffer.from(bytes).indexOf(Buffer.from('0a0109', 'hex')) + 2;
  for (const reason of [7, 11, 255]) {
    assert.throws(() => decodeCrl(withOctet(bytes, at, reason)), pkiError('der_value'));
  }
  assert.equal(decodeCrl(withOctet(bytes, at, 10)).revoked[0]?.reason, 'aACompromise');
  const version = Buffer.from(bytes).indexOf(Buffer.from('020101', 'hex')) + 2;
  assert.throws(() => decodeCrl(withOctet(bytes, version, 0)), pkiError('unsupported'));
});

const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('openssl reads a list issued here, and refuses what is on it', needsTool('openssl'), async (t) => {
  const folder = tempDir(t);
  const write = (name: string, text: string | Uint8Array): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const authority = await root('authority', AUTHORITY);
  const good = await leafOf(authority, 'good');
  const bad = await leafOf(authority, 'bad');
  const now = Math.floor(Date.now() / 1000) * 1000;
  const revoked = [{ serialNumber: bad.serialNumber, revokedAtMs: now, reason: 'privilegeWithdrawn' as const }];
  const crl = await issueCrl({ crlNumber: 4711n, thisUpdateMs: now, nextUpdateMs: now + HOUR, revoked }, authority);
  const ca = write('ca.pem', formatCertificate(authority.certificate));
  const list = write('crl.der', crl.bytes);
  const text = openssl('crl', '-inform', 'der', '-in', list, '-noout', '-text', '-verify', '-CAfile', ca);
  assert.match(text, /Version 2 \(0x1\)/);
  assert.match(text, /X509v3 CRL Number: \s+4711\n/);
  assert.match(text, /X509v3 CRL Reason Code: \s+Privilege Withdrawn/);
  const pem = write('crl.pem', formatCrl(crl));
  const verify = (name: string, certificate: string): string =>
    openssl('verify', '-x509_strict', '-crl_check', '-CAfile', ca, '-CRLfile', pem, write(name, certificate));
  assert.match(verify('good.pem', formatCertificate(good)), /: OK/);
  assert.throws(() => verify('bad.pem', formatCertificate(bad)), /certificate revoked/);
});

test('a list made by openssl reads here', needsTool('openssl'), async (t) => {
  const folder = tempDir(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(
    at('ca.cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index')}\ncrlnumber=${at('number')}\ndefault_md=sha384\ndefault_crl_days=3\ncrl_extensions=x\n[x]\nauthorityKeyIdentifier=keyid\n`,
  );
  writeFileSync(
    at('index'),
    'R\t301231235959Z\t260102030405Z,keyCompromise\t0A\tunknown\t/CN=x\nR\t301231235959Z\t260102030406Z\t00FF\tunknown\t/CN=y\n',
  );
  writeFileSync(at('number'), '10\n');
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', at('key'), '-out', at('ca.pem'), '-subj', '/CN=theirs'];
  openssl('req', '-x509', ...key);
  const files = ['-keyfile', at('key'), '-cert', at('ca.pem'), '-out', at('crl.pem')];
  openssl('ca', '-config', at('ca.cnf'), '-gencrl', ...files);
  const [block] = parsePem(readFileSync(at('crl.pem'), 'utf8'), 'X509 CRL');
  assert.ok(block);
  const crl = decodeCrl(block.bytes);
  assert.equal(crl.issuer.text, 'CN=theirs');
  assert.equal(crl.crlNumber, 0x10n);
  assert.equal((crl.nextUpdateMs ?? 0) - crl.thisUpdateMs, 3 * 24 * HOUR);
  assert.deepEqual(crl.revoked, [
    { serialNumber: 10n, revokedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5), reason: 'keyCompromise' },
    { serialNumber: 255n, revokedAtMs: Date.UTC(2026, 0, 2, 3, 4, 6) },
  ]);
  const spki = openssl('x509', '-in', at('ca.pem'), '-noout', '-pubkey');
  assert.ok(isCrlSignedBy(crl, importKey(parsePem(spki, 'PUBLIC KEY')[0]?.bytes ?? new Uint8Array())));
});

test('a permanent identifier in a name is the one of RFC 4043', needsTool('openssl'), async (t) => {
  const authority = await root('authority');
  const subjectAltName = [{ kind: 'permanent', identifier: 'edge-7' } as const];
  const { certificate } = await below(authority, 'device', { subjectAltName });
  const path = join(tempDir(t), 'device.pem');
  writeFileSync(path, formatCertificate(certificate));
  const text = openssl('asn1parse', '-in', path, '-strparse', String(extensionOffset(path)));
  assert.match(text, /OBJECT\s+:Permanent Identifier/);
  assert.match(text, /UTF8STRING\s+:edge-7/);
});

/** Where openssl finds the contents of the subjectAltName. */
function extensionOffset(path: string): number {
  const lines = openssl('asn1parse', '-in', path).split('\n');
  const at = lines.findIndex((line) => line.includes('X509v3 Subject Alternative Name'));
  return Number(/^\s*(\d+):/.exec(lines[at + 1] ?? '')?.[1]);
}
