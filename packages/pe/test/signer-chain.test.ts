// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import {
  attachSignature,
  certificateLists,
  checkSecureBoot,
  createSignature,
  EFI_IMAGE_SECURITY_DATABASE,
  KEY_VARIABLE_ATTRIBUTES,
  type PeFile,
  signPe,
  signVariable,
} from '@vouchsafe/pe';
import {
  type Authority,
  type Certificate,
  type CertificateInput,
  contextTag,
  decodeSignedData,
  encodeElement,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  issueCertificate,
  issueSelfSigned,
  OID,
  type Signer,
  signAttached,
} from '@vouchsafe/pki';
import { madeBytes } from './made-pe.ts';
import { openBytes, written } from './support.ts';

const OWNER = '55c96959-7948-4709-85a5-aff5393936a4';

/** P-256, as it is quick to make. */
function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPair('P-256');
  const scheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'der' } as const;
  const sign = async (message: Uint8Array): Promise<Uint8Array> => signMessage(privateKey, scheme, message);
  return { input: 'message', scheme, spki: publicKey.spki, signMessage: sign };
}

let serial = 1n;
const input = (name: string, isCa: boolean): CertificateInput => ({
  subject: [{ oid: OID.commonName, text: name }],
  serialNumber: serial++,
  validity: { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2036, 0, 1) },
  basicConstraints: { isCa, pathLength: undefined },
  keyUsage: [isCa ? 'keyCertSign' : 'digitalSignature'],
});

async function authority(name: string): Promise<Authority> {
  const signer = newSigner();
  return { signer, certificate: await issueSelfSigned(input(name, true), signer) };
}

/** A signer below the authority, with its certificate. */
async function below(issuer: Authority, name: string, isCa = false): Promise<Signer & { certificate: Certificate }> {
  const signer = newSigner();
  return { ...signer, certificate: await issueCertificate(input(name, isCa), signer.spki, issuer) };
}

const lists = (...certificates: Certificate[]) =>
  certificateLists(
    certificates.map(({ bytes }) => bytes),
    OWNER,
  );
const errors = (pe: PeFile, db: Certificate[], dbx: Certificate[] = []): string[] =>
  checkSecureBoot(pe, { db: lists(...db), dbx: lists(...dbx) })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);

test('a chain leads to db and to dbx through authorities of the message, in any order', async () => {
  const root = await authority('root');
  const middle = await below(root, 'middle', true);
  const signer = await below({ signer: middle, certificate: middle.certificate }, 'leaf');
  const other = await authority('other');
  for (const chain of [[middle.certificate], [other.certificate, middle.certificate]]) {
    const pe = openBytes(await written((sink) => signPe(openBytes(madeBytes()), sink, { signer, chain })));
    for (const trusted of [root.certificate, middle.certificate, signer.certificate]) {
      assert.deepEqual(errors(pe, [trusted]), []);
      assert.deepEqual(errors(pe, [signer.certificate], [trusted]), ['revoked_certificate']);
    }
    assert.deepEqual(errors(pe, [other.certificate]), ['signer_unknown']);
  }
  const without = openBytes(await written((sink) => signPe(openBytes(madeBytes()), sink, { signer })));
  assert.deepEqual(errors(without, [root.certificate]), ['signer_unknown']);
});

test('certificates that only bear the name do not hide a forbidden one', async () => {
  const [good, revoked, again] = [await authority('good'), await authority('bad'), await authority('bad')];
  // The same name and key below both: cross-certified.
  const middle = await below(revoked, 'middle', true);
  const trusted = await issueCertificate(input('middle', true), middle.spki, good);
  const signer = await below({ signer: middle, certificate: middle.certificate }, 'leaf');
  const junk = await below(await authority('bad'), 'junk');
  const chain = [...Array.from({ length: 61 }, () => junk.certificate), middle.certificate];
  const pe = openBytes(await written((sink) => signPe(openBytes(madeBytes()), sink, { signer, chain })));
  assert.deepEqual(errors(pe, [trusted]), []);
  assert.deepEqual(errors(pe, [trusted], [revoked.certificate]), ['revoked_certificate']);
  // With two of the name it is more than is tried, and what cannot be told is forbidden.
  assert.deepEqual(errors(pe, [trusted], [again.certificate, revoked.certificate]), ['chain_limit']);
  assert.equal(
    checkSecureBoot(pe, { db: lists(trusted), dbx: lists(again.certificate, revoked.certificate) }).isAllowed,
    false,
  );
});

test('a signature has one signer', async () => {
  const root = await authority('root');
  const signers = [await below(root, 'one'), await below(root, 'two')];
  const pe = openBytes(madeBytes());
  const messages = await Promise.all(
    signers.map(async (signer) => decodeSignedData(await createSignature(pe, { signer }))),
  );
  const infos = messages.flatMap((message) => message.signers.map(({ element }) => element.bytes));
  const [first] = messages;
  assert.ok(first);
  const { contents } = first.element;
  const before = contents.subarray(0, contents.length - encodeSetOf(infos.slice(0, 1)).length);
  const withSigners = async (kept: Uint8Array[]): Promise<PeFile> => {
    const signedData = encodeElement(0x30, before, encodeSetOf(kept));
    const message = encodeSequence(encodeOid(OID.signedData), encodeElement(contextTag(0, 'constructed'), signedData));
    return openBytes(await written((sink) => attachSignature(pe, sink, message)));
  };
  assert.deepEqual(errors(await withSigners(infos.slice(0, 1)), [root.certificate]), []);
  for (const kept of [[], infos]) {
    assert.deepEqual(errors(await withSigners(kept), [root.certificate]), ['signature_malformed']);
  }
});

test('a key whose signatures firmware cannot verify does not sign, and what it signed is not loaded', async () => {
  const { privateKey, publicKey } = generateKeyPair('ed25519');
  const scheme = { kind: 'ed25519' } as const;
  const sign = async (message: Uint8Array): Promise<Uint8Array> => signMessage(privateKey, scheme, message);
  const keyOnly: Signer = { input: 'message', scheme, spki: publicKey.spki, signMessage: sign };
  const certificate = await issueSelfSigned(input('ed', false), keyOnly);
  const signer = { ...keyOnly, certificate };
  const pe = openBytes(madeBytes());
  await assert.rejects(createSignature(pe, { signer }), { name: 'PeError', code: 'options_invalid' });
  const target = { name: 'db', vendor: EFI_IMAGE_SECURITY_DATABASE, attributes: KEY_VARIABLE_ATTRIBUTES };
  const update = signVariable(target, new Uint8Array(), { signer, timeMs: Date.UTC(2026, 0, 1) });
  await assert.rejects(update, { name: 'PeError', code: 'options_invalid' });
  const { content, contentType } = decodeSignedData(
    await createSignature(pe, { signer: await below(await authority('root'), 'leaf') }),
  );
  assert.ok(content);
  const message = await signAttached(content.bytes, signer, { contentType });
  const signed = openBytes(await written((sink) => attachSignature(pe, sink, message)));
  assert.deepEqual(errors(signed, [certificate]), ['scheme_refused']);
});
