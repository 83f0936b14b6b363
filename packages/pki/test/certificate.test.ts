// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import {
  decodeCertificate,
  decodeCertificates,
  encodeElement,
  encodeSequence,
  fingerprintOf,
  formatOid,
  importKey,
  isCertificateSignedBy,
  OID,
  openDerSequence,
  parsePem,
  schemeOf,
  TAG,
  VENDOR_DER,
} from '@vouchsafe/pki';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import { certificate, hex, pkiError, placeOf, readTestdata, withOctet } from './helpers.ts';

const toHex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

test('a certificate with every extension read here', () => {
  const { extensions, ...fields } = certificate('extensions');
  assert.equal(fields.version, 3);
  assert.equal(fields.serialNumber, 0xff000000000000000000000000000000000001n);
  assert.equal(toHex(fields.serialBytes), '00ff000000000000000000000000000000000001');
  assert.equal(
    fields.subject.text,
    '1.2.840.113549.1.9.1=#160d61406578616d706c652e636f6d,CN=\\ #leading and trailing\\ ,OU=a+OU=b,O=Löwe \\, Söhne,C=DE',
  );
  assert.deepEqual(fields.issuer.bytes, fields.subject.bytes);
  assert.equal(fields.validity.notAfterMs - fields.validity.notBeforeMs, 36500 * 86400 * 1000);
  assert.deepEqual(schemeOf(fields.signatureAlgorithm), { kind: 'ecdsa', hash: 'sha256', encoding: 'der' });
  assert.equal(fields.publicKey.algorithm.oid, OID.ecPublicKey);
  assert.equal(fields.publicKey.keyBits.length, 65);

  assert.deepEqual(extensions.basicConstraints, { isCa: true, pathLength: 2 });
  assert.deepEqual([...(extensions.keyUsage ?? [])], ['digitalSignature', 'keyCertSign', 'decipherOnly']);
  assert.deepEqual(extensions.extKeyUsage, [OID.clientAuth, '1.2.3.4']);
  assert.equal(extensions.subjectKeyIdentifier?.length, 20);
  assert.equal(extensions.authorityKeyIdentifier?.keyIdentifier, undefined);
  assert.deepEqual(extensions.authorityKeyIdentifier?.serialBytes, fields.serialBytes);
  const [issuer] = extensions.authorityKeyIdentifier?.issuer ?? [];
  assert.ok(issuer?.kind === 'directory');
  assert.deepEqual(issuer.name.bytes, fields.issuer.bytes);
  const names = extensions.subjectAltName ?? [];
  assert.deepEqual(
    names.map(({ kind }) => kind),
    ['dns', 'ip', 'uri', 'email', 'other', 'directory'],
  );
  assert.deepEqual(names[0], { kind: 'dns', text: 'host.example' });
  assert.deepEqual(names[1], { kind: 'ip', address: hex('c0000201') });
  assert.ok(names[5]?.kind === 'directory' && names[5].name.text === 'CN=in a directory');
  const unknown = extensions.all.find(({ oid }) => oid === '2.16.840.1.113730.1.13');
  assert.equal(unknown?.critical, false);
  assert.equal(Buffer.from(unknown?.value.contents ?? []).toString('latin1'), '\x16\x0cunknown here');
  assert.equal(extensions.all.filter(({ critical }) => critical).length, 2);
});

test('the signature of each scheme holds with its own key and with no other', () => {
  const names = ['rsa', 'rsa-pss', 'p256', 'p384', 'ed25519'];
  for (const name of names) {
    const own = certificate(name);
    assert.ok(isCertificateSignedBy(own, importKey(own.publicKey.bytes)), name);
    const last = own.bytes.length - 1;
    const broken = decodeCertificate(withOctet(own.bytes, last, (own.bytes[last] ?? 0) ^ 1));
    assert.ok(!isCertificateSignedBy(broken, importKey(own.publicKey.bytes)), name);
    const at =
      placeOf(own.tbsBytes, own.serialBytes) +
      own.serialBytes.length -
      1 +
      (own.tbsBytes.byteOffset - own.bytes.byteOffset);
    const altered = decodeCertificate(withOctet(own.bytes, at, (own.bytes[at] ?? 0) ^ 1));
    assert.ok(!isCertificateSignedBy(altered, importKey(own.publicKey.bytes)), name);
    assert.ok(!isCertificateSignedBy(own, importKey(certificate('other-rsa').publicKey.bytes)), name);
  }
  assert.deepEqual(schemeOf(certificate('rsa-pss').signatureAlgorithm), {
    kind: 'rsa-pss',
    hash: 'sha256',
    saltSize: 32,
  });
});

test('a key that cannot be imported is an error with a code', () => {
  assert.throws(() => importKey(hex('3000')), pkiError('key_invalid'));
});

test('every truncation, and a trailing byte, is refused at its place', () => {
  const { bytes } = certificate('extensions');
  for (let length = 0; length < bytes.length; length++) {
    const expected = length === 0 ? 'der_tag' : 'der_truncated';
    assert.throws(() => decodeCertificate(bytes.subarray(0, length)), pkiError(expected, 0), String(length));
    assert.throws(() => decodeCertificate(bytes.subarray(0, length), VENDOR_DER), pkiError(expected, 0));
  }
  const longer = concatBytes(bytes, hex('ff'));
  assert.throws(() => decodeCertificate(longer), pkiError('der_trailing', bytes.length));
  assert.deepEqual(decodeCertificate(longer, VENDOR_DER).bytes, bytes);
});

/** The certificate with the elements of its TBSCertificate changed; the signature no longer holds. */
function withFields(change: (fields: Uint8Array[]) => Uint8Array[], name = 'rsa'): Uint8Array {
  const outer = openDerSequence(certificate(name).bytes, 'Certificate');
  const fields = outer
    .readSequence('tbsCertificate')
    .rest(20)
    .map(({ bytes }) => bytes);
  return encodeSequence(encodeSequence(...change(fields)), ...outer.rest(2).map(({ bytes }) => bytes));
}

const replaced = (index: number, ...by: Uint8Array[]) => withFields((fields) => fields.toSpliced(index, 1, ...by));
const extensionsOf = (...extensions: string[]) =>
  replaced(7, encodeElement(0xa3, encodeSequence(...extensions.map(hex))));

test('what is DER but no certificate', () => {
  assert.doesNotThrow(() => decodeCertificate(withFields((fields) => fields)));
  const cases: [string, Uint8Array, Parameters<typeof pkiError>[0]][] = [
    ['version 4', replaced(0, hex('a003 020103')), 'unsupported'],
    ['version written out as 1', replaced(0, hex('a003 020100')), 'der_value'],
    ['extensions in version 2', replaced(0, hex('a003 020101')), 'certificate_malformed'],
    ['serial number of 65 octets', replaced(1, encodeElement(TAG.integer, new Uint8Array(65).fill(1))), 'der_limit'],
    ['another algorithm inside', replaced(2, hex('300d 06092a864886f70d01010d 0500')), 'certificate_malformed'],
    ['a relative name without attributes', replaced(3, hex('3002 3100')), 'der_value'],
    [
      '65 relative names',
      replaced(3, encodeSequence(...Array(65).fill(hex('310d 300b 0603550403 0c04 74657374')))),
      'der_limit',
    ],
    ['no end of validity', replaced(4, hex('300f 170d 3236303130313030303030305a')), 'der_tag'],
    ['public key with unused bits', replaced(6, hex('300b 3005 06032b6570 0302 0780')), 'der_value'],
    ['a field too many', withFields((fields) => [...fields, hex('0500')]), 'der_trailing'],
    [
      'the same extension twice',
      extensionsOf('3009 0603551d0e 0402 0400', '3009 0603551d0e 0402 0400'),
      'certificate_malformed',
    ],
    ['critical FALSE written out', extensionsOf('300c 0603551d0e 010100 0402 0400'), 'der_value'],
    ['trailing byte in a known extension', extensionsOf('300a 0603551d0e 0403 0400ff'), 'der_trailing'],
    ['key usage that is no BIT STRING', extensionsOf('3009 0603551d0f 0402 0500'), 'der_tag'],
    ['path length of -1', extensionsOf('300f 0603551d13 0408 3006 0101ff 0201ff'), 'der_value'],
    ['path length of 256', extensionsOf('3010 0603551d13 0409 3007 0101ff 02020100'), 'der_value'],
    [
      '65 extensions',
      extensionsOf(
        ...Array.from({ length: 65 }, (_, i) => `3007 06022a${(i + 1).toString(16).padStart(2, '0')} 0401 00`),
      ),
      'der_limit',
    ],
  ];
  for (const [name, bytes, code] of cases) assert.throws(() => decodeCertificate(bytes), pkiError(code), name);
  assert.doesNotThrow(() => decodeCertificate(replaced(0, hex('a003 020102'))));
  assert.equal(decodeCertificate(withFields((fields) => fields.slice(1, 7))).version, 1);
  assert.equal(
    decodeCertificate(extensionsOf('300c 0603551d0e 010100 0402 0400'), VENDOR_DER).extensions.all.length,
    1,
  );
  assert.deepEqual(
    decodeCertificate(extensionsOf('3010 0603551d13 0409 3007 0101ff 020200ff')).extensions.basicConstraints,
    {
      isCa: true,
      pathLength: 255,
    },
  );
});

test('a name that would forge a line is escaped, one that is no text is shown as bytes', () => {
  const nameOf = (value: string) => decodeCertificate(replaced(5, encodeSequence(hex(value)))).subject.text;
  assert.equal(nameOf('310d 300b 0603550403 0c04 610a0d62'), 'CN=a\\0a\\0db');
  assert.equal(nameOf('310b 3009 0603550403 0c02 c285'), 'CN=\\c2\\85');
  assert.equal(nameOf('310c 300a 0603550403 0c03 e280ae'), 'CN=\\e2\\80\\ae');
  assert.equal(nameOf('310a 3008 0603550403 0c01 20'), 'CN=\\ ');
  assert.equal(nameOf('310a 3008 0603550403 0c01 ff'), 'CN=#0c01ff');
  assert.equal(nameOf('310b 3009 0603550403 0c02 5c20'), 'CN=\\\\\\ ');
});

test('names of identifiers', () => {
  assert.equal(formatOid(OID.sha256WithRsa), 'sha256WithRsa (1.2.840.113549.1.1.11)');
  assert.equal(formatOid('1.2.3'), '1.2.3');
  assert.equal(new Set(Object.values(OID)).size, Object.keys(OID).length);
});

test('parameters that an algorithm does not have are refused', () => {
  const algorithm = hex('300f 06092a864886f70d01010b 0402 0000');
  const outer = openDerSequence(certificate('rsa').bytes, 'Certificate');
  const fields = outer
    .readSequence('tbs')
    .rest(9)
    .map(({ bytes }) => bytes);
  const bytes = encodeSequence(
    encodeSequence(...fields.toSpliced(2, 1, algorithm)),
    algorithm,
    encodeElement(TAG.bitString, hex('00ff')),
  );
  assert.throws(() => schemeOf(decodeCertificate(bytes).signatureAlgorithm), pkiError('der_tag'));
});

test('keys of the test vectors', needsVectors('image/uki/keys'), () => {
  const [verity] = decodeCertificates(readFileSync(vectorPath('image/uki/keys/verity.crt')));
  assert.ok(verity);
  assert.equal(toHex(fingerprintOf(verity)), 'f05a3cf274fe505ca6a90852aee169986e0706e8e40ebc1cfa9674b82114012d');
  assert.ok(isCertificateSignedBy(verity, importKey(verity.publicKey.bytes)));
});

test('certificates that TPM vendors burnt in', needsVectors('attestation/derived/ekcerts'), () => {
  const read = (name: string) => readFileSync(vectorPath('attestation/derived/ekcerts', `keylime__test_${name}.der`));
  // The certificate is followed by the erased rest of its NV index.
  const st = read('cert_utils__st_sha256_with_rsa_der');
  assert.throws(() => decodeCertificate(st), pkiError('der_trailing', 0x491));
  assert.equal(decodeCertificate(st, VENDOR_DER).bytes.length, 0x491);
  // One that is cut short stays an error, whatever the rules.
  const nuvoton = read('cert_utils__nuvoton_ecdsa_sha256_der');
  assert.throws(() => decodeCertificate(nuvoton, VENDOR_DER), pkiError('der_truncated', 0));
  assert.equal(decodeCertificate(read('cert_utils__iak_der')).version, 3);
});

test('authorities of TPM vendors', needsVectors('attestation/keylime__keylime/tpm_cert_store'), () => {
  const folder = vectorPath('attestation/keylime__keylime/tpm_cert_store');
  const failures = new Map<string, string>();
  for (const file of readdirSync(folder)) {
    for (const { bytes } of parsePem(readFileSync(`${folder}/${file}`, 'latin1'), 'CERTIFICATE')) {
      decodeCertificate(bytes, VENDOR_DER);
      try {
        decodeCertificate(bytes);
      } catch (error) {
        assert.ok(pkiError('der_value')(error));
        failures.set(file, String(error));
      }
    }
  }
  // Nuvoton's names are one SET in the order in which they were typed: keylime issue 1775.
  assert.deepEqual(
    [...failures.keys()].filter((file) => !/^(NUVO|NTC)/.test(file)),
    [],
  );
  assert.ok(failures.has('NUVO_2110.pem'));
});

test('reading testdata in DER gives what PEM gives', () => {
  assert.deepEqual(decodeCertificate(readTestdata('certificates/rsa.der')).bytes, certificate('rsa').bytes);
});
