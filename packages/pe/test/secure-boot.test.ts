// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { concatBytes, toHex } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import {
  certificateLists,
  checkSecureBoot,
  decodeSignatureLists,
  decodeSignatureUpdate,
  decodeVariableStore,
  digestCoveredBySignature,
  digestMeasuredByFirmware,
  EFI_IMAGE_SECURITY_DATABASE,
  type EfiSignatureList,
  efiTimeOf,
  encodeEfiTime,
  encodeSignatureLists,
  KEY_VARIABLE_ATTRIBUTES,
  liveVariables,
  openPe,
  type PeFile,
  signPe,
  VARIABLE_ATTRIBUTE,
  verifyAuthenticatedVariable,
} from '@vouchsafe/pe';
import { type Certificate, decodeCertificate, decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import { needsTool, needsVectors, tempDir } from '@vouchsafe/testing';
import { madeBytes } from './made-pe.ts';
import { openBytes, openImage, readImage, testSigner, written } from './support.ts';

const OWNER = '55c96959-7948-4709-85a5-aff5393936a4';
const path = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(path(name)));
const [SIGNER] = decodeCertificates(read('signer.pem')) as [Certificate];
const DB = certificateLists([SIGNER.bytes], OWNER);
const signed = (): PeFile => openPe(memorySource(read('made.sbsign.efi'), 'made.sbsign.efi'));

const listOf = (type: string, ...data: Uint8Array[]): EfiSignatureList => ({
  type,
  signatures: data.map((octets) => ({ owner: OWNER, data: octets })),
});
const errors = (pe: PeFile, db: EfiSignatureList[], dbx: EfiSignatureList[] = []): string[] =>
  checkSecureBoot(pe, { db, dbx })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);

/** The certificate by its digest, revoked since a time or, with none, always. */
function tbsEntry(algorithm: 'sha256' | 'sha384' | 'sha512', timeMs?: number): EfiSignatureList {
  const time = timeMs === undefined ? new Uint8Array(16) : encodeEfiTime(efiTimeOf(timeMs));
  const type = { sha256: 'x509Sha256', sha384: 'x509Sha384', sha512: 'x509Sha512' }[algorithm];
  return listOf(type, concatBytes(digest(algorithm, SIGNER.tbsBytes), time));
}

test('allowed by a certificate in db', () => {
  const check = checkSecureBoot(signed(), { db: DB });
  assert.equal(check.isAllowed, true);
  assert.equal(check.allowedBy, 'certificate');
  assert.equal(check.anchor?.subject.text, SIGNER.subject.text);
  assert.deepEqual(check.findings, []);
});

test('refused: nothing in db, an empty dbx, an unsigned file', () => {
  assert.deepEqual(errors(signed(), []), ['signer_unknown']);
  assert.deepEqual(errors(openBytes(madeBytes()), DB), ['unsigned']);
});

for (const algorithm of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
  test(`a ${algorithm} digest: in db it allows, in dbx it forbids, and dbx beats db`, () => {
    const pe = openBytes(madeBytes());
    const list = listOf(algorithm, digestCoveredBySignature(pe, algorithm));
    const allowed = checkSecureBoot(pe, { db: [list] });
    assert.equal(allowed.allowedBy, 'digest');
    assert.deepEqual(
      allowed.findings.map(({ code, severity }) => [code, severity]),
      [['unsigned', 'info']],
    );
    assert.deepEqual(errors(pe, [list], [list]), ['revoked_digest']);
    const revoked = listOf(algorithm, digestCoveredBySignature(signed(), algorithm));
    const check = checkSecureBoot(signed(), { db: DB, dbx: [revoked] });
    assert.equal(check.isAllowed, false);
    assert.equal(check.anchor, undefined);
    assert.deepEqual(errors(signed(), DB, [revoked]), ['revoked_digest']);
  });
}

test('the digest of a neighbour is no match', () => {
  const other = digestCoveredBySignature(signed(), 'sha256');
  other[31] = (other[31] ?? 0) ^ 1;
  assert.deepEqual(errors(signed(), DB, [listOf('sha256', other)]), []);
  assert.deepEqual(errors(openBytes(madeBytes()), [listOf('sha256', other)]), ['unsigned']);
});

test('a certificate in dbx forbids what it signed, though db has it too', () => {
  assert.deepEqual(errors(signed(), DB, DB), ['revoked_certificate']);
});

for (const algorithm of ['sha256', 'sha384', 'sha512'] as const) {
  test(`a certificate in dbx by ${algorithm} of its TBSCertificate, with and without a time`, () => {
    assert.deepEqual(errors(signed(), DB, [tbsEntry(algorithm)]), ['revoked_certificate']);
    const since = checkSecureBoot(signed(), { db: DB, dbx: [tbsEntry(algorithm, Date.UTC(2023, 4, 9))] });
    assert.equal(since.isAllowed, false);
    assert.match(since.findings[0]?.actual ?? '', /revoked since 2023-05-09/);
    // The digest of the whole certificate is another one, and none of firmware's business.
    const whole = listOf('x509Sha256', concatBytes(digest('sha256', SIGNER.bytes), new Uint8Array(16)));
    assert.deepEqual(errors(signed(), DB, [whole]), []);
  });
}

test('revoked always beats revoked since then, in either order', () => {
  const [always, since] = [tbsEntry('sha256'), tbsEntry('sha256', 0)];
  for (const dbx of [
    [always, since],
    [since, always],
  ]) {
    assert.equal(checkSecureBoot(signed(), { db: DB, dbx }).findings[0]?.actual, SIGNER.subject.text);
  }
});

test('one forbidden signature spoils a good one', needsVectors('image', 'uki'), async () => {
  const signer = await testSigner('db');
  const twice = openBytes(await written((sink) => signPe(signed(), sink, { signer })));
  const both = certificateLists([SIGNER.bytes, signer.certificate?.bytes ?? new Uint8Array(1)], OWNER);
  assert.deepEqual(errors(twice, both), []);
  assert.deepEqual(errors(twice, both, DB), ['revoked_certificate']);
  assert.deepEqual(errors(twice, both.slice(1)), []);
  assert.deepEqual(
    checkSecureBoot(twice, { db: both.slice(1) }).findings.map(({ code, severity }) => [code, severity]),
    [['signer_unknown', 'info']],
  );
});

test('an unsigned file of odd length: firmware looks for the digest without padding', () => {
  const pe = openBytes(concatBytes(madeBytes(), Uint8Array.of(1, 2, 3)));
  const padded = listOf('sha256', digestCoveredBySignature(pe, 'sha256'));
  const exact = listOf('sha256', digestMeasuredByFirmware(pe, 'sha256'));
  assert.deepEqual(errors(pe, [padded]), ['unsigned', 'digest_padded']);
  assert.deepEqual(errors(pe, [exact]), []);
  assert.deepEqual(errors(pe, [exact], [padded]), ['revoked_digest']);
});

test('a changed file is told so, whatever db has', () => {
  const bytes = read('made.sbsign.efi');
  bytes[1100] = (bytes[1100] ?? 0) ^ 1;
  assert.deepEqual(errors(openBytes(bytes), DB), ['digest_mismatch']);
});

test('entries that firmware cannot use are told once and change nothing', () => {
  const odd = [listOf('x509', Uint8Array.of(1, 2, 3)), listOf('rsa2048', new Uint8Array(256), new Uint8Array(256))];
  const check = checkSecureBoot(signed(), { db: [...odd, ...DB], dbx: odd });
  assert.equal(check.isAllowed, true);
  assert.deepEqual(
    check.findings.map(({ code, where, actual }) => [code, where.artefact, actual]),
    [
      ['database_entry_ignored', 'db', '3 other'],
      ['database_entry_ignored', 'dbx', '3 other'],
    ],
  );
});

test("Microsoft's dbx update is read: signed envelope, then digests", () => {
  const { lists, variable } = decodeSignatureUpdate(read('dbx-update.arm64.bin'));
  assert.equal(variable?.signedData.signers.length, 1);
  assert.deepEqual(
    lists.map(({ type, signatures }) => [type, signatures.length]),
    [['sha256', 26]],
  );
  assert.deepEqual(errors(signed(), DB, [...lists]), []);
  const first = lists[0]?.signatures[0]?.data ?? new Uint8Array();
  assert.equal(toHex(first).length, 64);
});

test("Microsoft's dbx update holds under the KEK of Debian's store", needsVectors('image', 'efivars'), () => {
  const { variable } = decodeSignatureUpdate(read('dbx-update.arm64.bin'));
  const store = decodeVariableStore(readImage('efivars', 'OVMF_VARS_4M.ms.bookworm.fd'));
  const kek = liveVariables(store).find(({ name }) => name === 'KEK');
  const keys = decodeSignatureLists(kek?.data ?? new Uint8Array()).flatMap(({ signatures }) =>
    signatures.map(({ data }) => decodeCertificate(data, VENDOR_DER)),
  );
  assert.ok(variable);
  // The signer's own certificate is not in KEK, its issuer is.
  const [signer] = variable.signedData.certificates.map((bytes) => decodeCertificate(bytes, VENDOR_DER));
  assert.ok(signer);
  assert.ok(keys.some(({ subject }) => subject.text === signer.issuer.text || subject.text === signer.subject.text));
  const attributes = KEY_VARIABLE_ATTRIBUTES | VARIABLE_ATTRIBUTE.appendWrite;
  const target = { name: 'dbx', vendor: EFI_IMAGE_SECURITY_DATABASE, attributes };
  assert.equal(verifyAuthenticatedVariable(variable, target, [signer]).signers.length, 1);
  const db = { ...target, name: 'db' };
  assert.throws(() => verifyAuthenticatedVariable(variable, db, [signer]), { name: 'PkiError' });
});

test('an update: bare lists, .auth, and every truncation of it', () => {
  assert.deepEqual(decodeSignatureUpdate(encodeSignatureLists(DB)), { lists: DB, variable: undefined });
  assert.deepEqual(decodeSignatureUpdate(read('db.auth')).lists, DB);
  assert.deepEqual(decodeSignatureUpdate(new Uint8Array()).lists, []);
  const bytes = read('db.auth');
  const envelope = bytes.length - encodeSignatureLists(DB).length;
  for (let length = 1; length < bytes.length; length += 7) {
    // Cut exactly behind the signature it is an update without data.
    if (length === envelope) continue;
    assert.throws(() => decodeSignatureUpdate(bytes.subarray(0, length)), { name: 'PeError' }, `${length}`);
  }
});

test('the signed image of the vectors, with db and dbx of its own store', needsVectors('image', 'boot'), () => {
  const { lists } = decodeSignatureUpdate(readImage('efivars', 'db.esl'));
  const pe = openImage('boot', 'uki-257.13-signed.efi');
  assert.equal(checkSecureBoot(pe, { db: lists }).allowedBy, 'certificate');
  assert.deepEqual(errors(openImage('boot', 'uki-257.13.efi'), [...lists]), ['unsigned']);
});

test('the list that hash-to-efi-sig-list writes allows the file', needsTool('hash-to-efi-sig-list'), (t) => {
  const dir = tempDir(t);
  execFileSync('hash-to-efi-sig-list', [path('made.efi'), join(dir, 'db.esl')], { stdio: 'ignore' });
  const { lists } = decodeSignatureUpdate(new Uint8Array(readFileSync(join(dir, 'db.esl'))));
  assert.equal(checkSecureBoot(openBytes(read('made.efi')), { db: lists }).allowedBy, 'digest');
});

test('the list that cert-to-efi-hash-list writes revokes the signer', needsTool('cert-to-efi-hash-list'), (t) => {
  const dir = tempDir(t);
  for (const bits of ['256', '384', '512']) {
    const out = join(dir, `${bits}.esl`);
    execFileSync('cert-to-efi-hash-list', ['-g', OWNER, '-s', bits, path('signer.pem'), out], { stdio: 'ignore' });
    const { lists } = decodeSignatureUpdate(new Uint8Array(readFileSync(out)));
    assert.deepEqual(lists[0]?.type, `x509Sha${bits}`);
    assert.deepEqual(errors(signed(), DB, [...lists]), ['revoked_certificate']);
  }
});

test('sbverify says the same of a good and of a changed file', needsTool('sbverify'), (t) => {
  const changed = join(tempDir(t), 'changed.efi');
  const bytes = read('made.sbsign.efi');
  bytes[1100] = (bytes[1100] ?? 0) ^ 1;
  writeFileSync(changed, bytes);
  for (const [file, isGood] of [
    [path('made.sbsign.efi'), true],
    [changed, false],
  ] as const) {
    const run = (): unknown => execFileSync('sbverify', ['--cert', path('signer.pem'), file], { stdio: 'ignore' });
    if (isGood) run();
    else assert.throws(run);
    assert.equal(checkSecureBoot(openBytes(new Uint8Array(readFileSync(file))), { db: DB }).isAllowed, isGood);
  }
});
