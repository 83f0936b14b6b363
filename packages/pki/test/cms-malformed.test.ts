// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import {
  contextTag,
  decodeSignedData,
  encodeElement,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
  OID,
  openDer,
  PkiError,
  type PkiErrorCode,
  signDetached,
  signedAttributeBytes,
  signWith,
  VENDOR_DER,
  verifySignedData,
} from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { certificate, hex, pkiError, placeOf, readTestdata, testdataPath, withOctet } from './helpers.ts';

const content = readTestdata('cms/content.txt');
const trusted = [certificate('rsa'), certificate('p256')];

/** The elements of a constructed element's contents. */
function elementsOf(contents: Uint8Array): Uint8Array[] {
  return openDer(contents)
    .rest(99)
    .map(({ bytes }) => bytes);
}

interface Parts {
  /** version, digestAlgorithms, encapContentInfo, and certificates where there are some. */
  head: Uint8Array[];
  signers: Uint8Array[][];
}

/** A message of testdata with its parts changed, in a ContentInfo. */
function altered(name: string, change: (parts: Parts) => Parts): Uint8Array {
  const signedData = decodeSignedData(readTestdata(`cms/${name}.der`));
  const head = elementsOf(signedData.element.contents).slice(0, -1);
  const { head: newHead, signers } = change({
    head,
    signers: signedData.signers.map(({ element }) => elementsOf(element.contents)),
  });
  const signerInfos = encodeSetOf(signers.map((fields) => encodeSequence(...fields)));
  return contentInfo(encodeSequence(...newHead, signerInfos));
}

function contentInfo(signedData: Uint8Array, type: string = OID.signedData): Uint8Array {
  return encodeSequence(encodeOid(type), encodeElement(contextTag(0, 'constructed'), signedData));
}

/** The fields of the one signer changed: version, sid, digestAlgorithm, signedAttrs where there are, algorithm, signature. */
const withSigner = (name: string, change: (fields: Uint8Array[]) => Uint8Array[]) =>
  altered(name, ({ head, signers }) => ({ head, signers: signers.map(change) }));

const verify = (bytes: Uint8Array) => verifySignedData(decodeSignedData(bytes), { trusted, content });

test('every truncation, and a trailing byte, is refused at its place', () => {
  for (const name of ['rsa-attributes', 'two-signers']) {
    const bytes = readTestdata(`cms/${name}.der`);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decodeSignedData(bytes.subarray(0, length)),
        pkiError(length === 0 ? 'der_tag' : 'der_truncated', 0),
      );
    }
    assert.throws(() => decodeSignedData(concatBytes(bytes, hex('00'))), pkiError('der_trailing', bytes.length));
  }
});

test('taking a message apart and putting it together changes nothing', () => {
  for (const name of ['rsa-noattr', 'rsa-attributes', 'p256-key-identifier']) {
    assert.deepEqual(
      altered(name, (parts) => parts),
      readTestdata(`cms/${name}.der`),
      name,
    );
  }
});

test('what is DER but no signed message', () => {
  const { bytes } = decodeSignedData(readTestdata('cms/rsa-noattr.der')).element;
  const head = (index: number, der: Uint8Array) =>
    altered('rsa-noattr', (parts) => ({ ...parts, head: parts.head.toSpliced(index, 1, der) }));
  const signer = (index: number, der: Uint8Array) =>
    withSigner('rsa-noattr', (fields) => fields.toSpliced(index, 1, der));
  const cases: [string, Uint8Array, PkiErrorCode][] = [
    ['another content type', contentInfo(bytes, OID.data), 'unsupported'],
    [
      'two messages in one',
      encodeSequence(encodeOid(OID.signedData), encodeElement(0xa0, bytes, bytes)),
      'der_trailing',
    ],
    ['version 2', head(0, encodeInteger(2n)), 'unsupported'],
    ['version -1', head(0, encodeInteger(-1n)), 'unsupported'],
    ['17 digest algorithms', head(1, encodeSetOf(Array(17).fill(hex('300406022a03')))), 'der_limit'],
    [
      'two contents',
      head(2, encodeSequence(encodeOid(OID.data), encodeElement(0xa0, hex('0400 0400')))),
      'der_trailing',
    ],
    [
      'content in pieces (BER)',
      head(2, encodeSequence(encodeOid(OID.data), encodeElement(0x80, hex('0400')))),
      'der_trailing',
    ],
    [
      'data that is no OCTET STRING',
      head(2, encodeSequence(encodeOid(OID.data), encodeElement(0xa0, hex('3000')))),
      'der_tag',
    ],
    ['65 certificates', head(3, encodeElement(0xa0, ...Array(65).fill(hex('3000')))), 'der_limit'],
    [
      '17 signers',
      altered('rsa-noattr', (parts) => ({ ...parts, signers: Array(17).fill(parts.signers[0]) })),
      'der_limit',
    ],
    ['version 3 with issuer and serial', signer(0, encodeInteger(3n)), 'cms_malformed'],
    ['a signer named by nothing', signer(1, hex('3000')), 'der_tag'],
    ['a signature that is no OCTET STRING', signer(4, hex('030100')), 'der_tag'],
    ['a field after the signature', withSigner('rsa-noattr', (fields) => [...fields, hex('0500')]), 'der_trailing'],
    [
      '65 attributes',
      withSigner('rsa-noattr', (fields) => [
        ...fields,
        encodeElement(0xa1, ...Array(65).fill(hex('3006 06022a03 3100'))),
      ]),
      'der_limit',
    ],
    [
      'an attribute without values',
      withSigner('rsa-noattr', (fields) => [...fields, hex('a106 3004 06022a03')]),
      'der_tag',
    ],
  ];
  for (const [name, der, code] of cases) assert.throws(() => decodeSignedData(der), pkiError(code), name);
  assert.equal(
    decodeSignedData(altered('rsa-noattr', (parts) => ({ ...parts, signers: Array(16).fill(parts.signers[0]) })))
      .signers.length,
    16,
  );
});

test('a message without signers is signed by nobody', () => {
  assert.throws(
    () => verify(altered('rsa-noattr', (parts) => ({ ...parts, signers: [] }))),
    pkiError('signer_unknown'),
  );
});

test('every altered octet of the signer fails, each for its reason', () => {
  const bytes = readTestdata('cms/rsa-noattr-nocerts.der');
  const { offset } = decodeSignedData(bytes).signers[0]?.element ?? { offset: bytes.length };
  for (let at = offset; at < bytes.length; at++) {
    assert.throws(() => verify(withOctet(bytes, at, (bytes[at] ?? 0) ^ 0x01)), PkiError, `octet ${at}`);
  }
});

/** Signed attributes of one's own making, signed by the test key. */
async function withAttributes(attributes: Uint8Array[], type: Uint8Array = encodeOid(OID.data)): Promise<Uint8Array> {
  const signer = await openKeyFileSigner({ keyPath: testdataPath('keys/rsa.test-only.key') });
  const set = encodeSetOf(attributes);
  const signature = await signWith(signer, set);
  return altered('rsa-attributes', ({ head, signers: [fields = []] }) => ({
    head: head.toSpliced(2, 1, encodeSequence(type)),
    signers: [
      fields.toSpliced(
        3,
        3,
        concatBytes(hex('a0'), set.subarray(1)),
        fields[4] ?? hex(''),
        encodeOctetString(signature),
      ),
    ],
  }));
}

const attribute = (oid: string, ...values: Uint8Array[]) => encodeSequence(encodeOid(oid), encodeSetOf(values));

test('signed attributes: what must be there is there once, and says what is true', async () => {
  const contentType = attribute(OID.contentType, encodeOid(OID.data));
  const value = encodeOctetString(digest('sha256', content));
  const messageDigest = attribute(OID.messageDigest, value);
  assert.equal(verify(await withAttributes([contentType, messageDigest])).signers.length, 1);
  const cases: [string, Uint8Array[], PkiErrorCode][] = [
    ['no content type', [messageDigest], 'attribute_invalid'],
    ['no digest', [contentType], 'attribute_invalid'],
    ['no attributes', [], 'attribute_invalid'],
    ['another content type', [attribute(OID.contentType, encodeOid('1.2.3')), messageDigest], 'attribute_invalid'],
    ['two digests', [contentType, messageDigest, messageDigest], 'attribute_invalid'],
    ['two values', [contentType, attribute(OID.messageDigest, value, value)], 'attribute_invalid'],
    [
      'a digest that is no OCTET STRING',
      [contentType, attribute(OID.messageDigest, encodeOid('1.2.3'))],
      'attribute_invalid',
    ],
    [
      'a shorter digest',
      [contentType, attribute(OID.messageDigest, encodeOctetString(new Uint8Array(31)))],
      'digest_mismatch',
    ],
  ];
  for (const [name, attributes, code] of cases) {
    const message = await withAttributes(attributes);
    assert.throws(() => verify(message), pkiError(code), name);
  }
  const typed = await withAttributes([contentType, messageDigest], encodeOid('1.2.3'));
  assert.throws(() => verify(typed), pkiError('attribute_invalid'));
});

test('signed attributes out of order are refused, or taken as they came', async () => {
  const bytes = readTestdata('cms/rsa-attributes.der');
  const [signer] = decodeSignedData(bytes).signers;
  const attributes = elementsOf(signer?.signedAttributes?.element.contents ?? hex(''));
  const unsorted = withSigner('rsa-attributes', (fields) =>
    fields.toSpliced(3, 1, encodeElement(0xa0, ...attributes.toReversed())),
  );
  assert.throws(() => decodeSignedData(unsorted), pkiError('der_value'));
  const tolerated = decodeSignedData(unsorted, VENDOR_DER);
  assert.throws(() => verifySignedData(tolerated, { trusted, content }), pkiError('signature_invalid'));
});

test('attributes of one message are not content of another', async () => {
  // Drop the attributes and offer their bytes as content: the signature itself would hold.
  const [signer] = decodeSignedData(readTestdata('cms/rsa-attributes.der')).signers;
  assert.ok(signer?.signedAttributes);
  const stripped = decodeSignedData(withSigner('rsa-attributes', (fields) => fields.toSpliced(3, 1)));
  const attributes = signedAttributeBytes(signer.signedAttributes);
  assert.throws(() => verifySignedData(stripped, { trusted, content: attributes }), pkiError('attribute_invalid'));
  const keySigner = await openKeyFileSigner({
    keyPath: testdataPath('keys/rsa.test-only.key'),
    certificatePath: testdataPath('certificates/rsa.pem'),
  });
  await assert.rejects(
    signDetached(attributes, keySigner, { includeCertificate: false }),
    pkiError('argument_invalid'),
  );
});

test('content of another type must have signed attributes', () => {
  const typed = altered('rsa-noattr', ({ head, signers }) => ({
    head: head.toSpliced(2, 1, encodeSequence(encodeOid('1.2.3'))),
    signers,
  }));
  assert.throws(() => verify(typed), pkiError('attribute_invalid'));
});

test('algorithms that do not go together, or are not known, are named', () => {
  const algorithm = (oid: string) => encodeSequence(encodeOid(oid));
  const signer = (digestOid: string, signatureOid: string) =>
    withSigner('rsa-noattr', ([version, sid, , , signature]) =>
      [version, sid, algorithm(digestOid), algorithm(signatureOid), signature].filter((der) => der !== undefined),
    );
  assert.throws(() => verify(signer(OID.sha256, '1.2.3')), pkiError('unsupported'));
  assert.throws(() => verify(signer('1.2.3', OID.rsaEncryption)), pkiError('unsupported'));
  assert.throws(() => verify(signer(OID.sha512, OID.sha256WithRsa)), pkiError('unsupported'));
  assert.throws(() => verify(signer(OID.sha256, OID.ed25519)), pkiError('unsupported'));
  // RSA with its digest in the name, and absent parameters: other tools write both.
  assert.equal(verify(signer(OID.sha256, OID.sha256WithRsa)).signers.length, 1);
  // An algorithm of another kind of key cannot have been used by this one.
  assert.throws(() => verify(signer(OID.sha256, OID.ecdsaWithSha256)), pkiError('signature_invalid'));
});

test('a bad signature in a trusted name fails the message, whoever else signed', () => {
  const bytes = readTestdata('cms/two-signers.der');
  const [first] = decodeSignedData(bytes).signers;
  assert.ok(first);
  const at = placeOf(bytes, first.signature) + first.signature.length - 1;
  assert.throws(
    () => verify(withOctet(bytes, at, (bytes[at] ?? 0) ^ 1)),
    pkiError('signature_invalid', first.element.offset),
  );
});
