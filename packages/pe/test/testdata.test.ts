// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { memorySource } from '@vouchsafe/bytes';
import {
  certificateLists,
  checkSignatures,
  checksumOf,
  decodeAuthenticatedVariable,
  EFI_IMAGE_SECURITY_DATABASE,
  encodeSignatureLists,
  KEY_VARIABLE_ATTRIBUTES,
  openPe,
  removeSignatures,
  signVariable,
  verifyAuthenticatedVariable,
} from '@vouchsafe/pe';
import { type Certificate, decodeCertificates } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { madeBytes } from './made-pe.ts';
import { written } from './support.ts';

const path = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const read = (name: string): Uint8Array => Uint8Array.from(readFileSync(path(name)));
const [SIGNER] = decodeCertificates(read('signer.pem')) as [Certificate];

for (const tool of ['sbsign', 'osslsigncode']) {
  test(`${tool}: its signature holds, its CheckSum is right, and without it the file is the one that was signed`, async () => {
    const pe = openPe(memorySource(read(`made.${tool}.efi`)));
    const check = checkSignatures(pe, { trusted: [SIGNER] });
    assert.deepEqual(check.findings, []);
    assert.equal(check.isTrusted, true);
    assert.equal(pe.optionalHeader.checkSum, checksumOf(pe.source, pe.offsets.optionalHeader + 64));
    const made = madeBytes();
    assert.deepEqual(read('made.efi'), made);
    const removed = await written((sink) => removeSignatures(pe, sink));
    removed.fill(0, 0x40 + 24 + 64, 0x40 + 24 + 68);
    assert.deepEqual(removed, made);
  });
}

test('efitools: the same list and the same authenticated variable', async () => {
  const lists = encodeSignatureLists(certificateLists([SIGNER.bytes], '55c96959-7948-4709-85a5-aff5393936a4'));
  assert.deepEqual(lists, read('db.esl'));
  const target = { name: 'db', vendor: EFI_IMAGE_SECURITY_DATABASE, attributes: KEY_VARIABLE_ATTRIBUTES };
  const keyPath = path('keys/signer.test-only.key');
  const signer = await openKeyFileSigner({ keyPath, certificatePath: path('signer.pem') });
  const variable = await signVariable(target, lists, { signer, timeMs: Date.UTC(2024, 0, 2, 3, 4, 5) });
  assert.deepEqual(variable, read('db.auth'));
  assert.equal(verifyAuthenticatedVariable(decodeAuthenticatedVariable(variable), target, [SIGNER]).signers.length, 1);
});
