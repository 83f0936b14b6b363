// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import {
  type AttributeCertificate,
  contextTag,
  decodeAttributeCertificate,
  encodeBitString,
  encodeElement,
  encodeInteger,
  encodeName,
  encodeNull,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  encodeSignatureAlgorithm,
  importKey,
  isAttributeCertificateSignedBy,
  OID,
  PkiError,
  signWith,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { newSigner } from '@vouchsafe/testing/authorities';
import fc from 'fast-check';
import { pkiError, withOctet } from './helpers.ts';

const directory = (text: string) =>
  encodeElement(contextTag(4, 'constructed'), encodeName([{ oid: OID.commonName, text }]));
const time = (text: string) => encodeElement(0x18, new TextEncoder().encode(text));
const attribute = (oid: string) => encodeSequence(encodeOid(oid), encodeSetOf([encodeNull()]));

const PARTS = {
  version: encodeInteger(1n),
  holder: encodeSequence(
    encodeElement(contextTag(0, 'constructed'), encodeSequence(directory('EK maker')), encodeInteger(0x1234n)),
  ),
  issuer: encodeElement(contextTag(0, 'constructed'), encodeSequence(directory('platform maker'))),
  serial: encodeInteger(7n),
  validity: encodeSequence(time('20260101000000Z'), time('20360101000000Z')),
  attributes: encodeSequence(attribute('1.2.3')),
};

const signer = newSigner();

async function make(change: Partial<typeof PARTS> = {}): Promise<Uint8Array> {
  const parts = { ...PARTS, ...change };
  const algorithm = encodeSignatureAlgorithm(signer.scheme);
  const info = encodeSequence(
    parts.version,
    parts.holder,
    parts.issuer,
    algorithm,
    parts.serial,
    parts.validity,
    parts.attributes,
  );
  return encodeSequence(info, algorithm, encodeBitString(await signWith(signer, info)));
}

test('an attribute certificate says whose it is, who issued it, and what', async () => {
  const certificate = decodeAttributeCertificate(await make());
  const [holder] = certificate.holder.baseCertificate?.issuer ?? [];
  assert.ok(holder?.kind === 'directory');
  assert.equal(holder.name.text, 'CN=EK maker');
  assert.equal(toHex(certificate.holder.baseCertificate?.serialBytes ?? new Uint8Array()), '1234');
  assert.equal(certificate.issuer.text, 'CN=platform maker');
  assert.equal(certificate.serialNumber, 7n);
  assert.equal(certificate.validity.notBeforeMs, Date.UTC(2026, 0, 1));
  assert.deepEqual(
    certificate.attributes.map(({ oid }) => oid),
    ['1.2.3'],
  );
  assert.ok(isAttributeCertificateSignedBy(certificate, importKey(signer.spki)));
  assert.ok(!isAttributeCertificateSignedBy(certificate, importKey(newSigner().spki)));
});

test('what an attribute certificate may not be', async () => {
  const refuse = async (code: Parameters<typeof pkiError>[0], change: Partial<typeof PARTS>) => {
    const bytes = await make(change);
    assert.throws(() => decodeAttributeCertificate(bytes), pkiError(code));
  };
  await refuse('unsupported', { version: encodeInteger(0n) });
  await refuse('der_tag', { issuer: encodeSequence(directory('version 1 form')) });
  const two = encodeSequence(directory('one'), directory('two'));
  await refuse('certificate_malformed', { issuer: encodeElement(contextTag(0, 'constructed'), two) });
  await refuse('certificate_malformed', { attributes: encodeSequence(attribute('1.2.3'), attribute('1.2.3')) });
  const many = Array.from({ length: 65 }, (_, i) => attribute(`1.2.${i}`));
  await refuse('der_limit', { attributes: encodeSequence(...many) });
  decodeAttributeCertificate(await make({ attributes: encodeSequence(...many.slice(1)) }));
  await refuse('der_limit', { serial: encodeInteger(1n << 512n) });
  await refuse('der_tag', { validity: encodeSequence(encodeElement(0x17, new TextEncoder().encode('260101000000Z'))) });
});

test('every truncation, a trailing octet, and any octet changed: a coded error or another certificate', async () => {
  const bytes = await make();
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeAttributeCertificate(bytes.subarray(0, length)), PkiError);
  }
  const longer = Uint8Array.from([...bytes, 0xff]);
  assert.throws(() => decodeAttributeCertificate(longer), pkiError('der_trailing'));
  assert.deepEqual(decodeAttributeCertificate(longer, VENDOR_DER).bytes, bytes);
  const key = importKey(signer.spki);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = withOctet(bytes, at, bytes[at]! ^ flip);
      let decoded: AttributeCertificate;
      try {
        decoded = decodeAttributeCertificate(changed);
        assert.ok(!isAttributeCertificateSignedBy(decoded, key));
      } catch (error) {
        assert.ok(error instanceof PkiError, String(error));
      }
    }),
  );
});

const GO = 'attestation/google__go-attestation/attributecert/testdata';

test('platform certificates of makers read as go-attestation reads them', needsVectors(GO), () => {
  const paths = globSync(`${vectorPath(GO)}/*.cer.json`);
  assert.ok(paths.length >= 10);
  for (const path of paths) {
    const text = readFileSync(path, 'utf8');
    const expected = JSON.parse(text) as {
      NotBefore: string;
      NotAfter: string;
      Signature: string;
      RawTBSAttributeCertificate: string;
    };
    const found = decodeAttributeCertificate(readFileSync(path.replace(/\.json$/, '')), VENDOR_DER);
    assert.equal(found.validity.notBeforeMs, Date.parse(expected.NotBefore), path);
    assert.equal(found.validity.notAfterMs, Date.parse(expected.NotAfter), path);
    assert.equal(Buffer.from(found.signature).toString('base64'), expected.Signature, path);
    assert.equal(Buffer.from(found.infoBytes).toString('base64'), expected.RawTBSAttributeCertificate, path);
    // Numbers of that size lose digits in JSON.parse.
    const [, serial] = /"SerialNumber": (\d+),\s+"Holder"/.exec(text) ?? [];
    assert.equal(String(found.serialNumber), serial, path);
    const [, holderSerial] = /"Serial": (\d+)/.exec(text) ?? [];
    const held = found.holder.baseCertificate?.serialBytes ?? new Uint8Array();
    assert.equal(String(BigInt(`0x${toHex(held)}`)), holderSerial, path);
  }
});
