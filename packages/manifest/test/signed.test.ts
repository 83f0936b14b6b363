// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ascii, parseUtf8, toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { generateKeyPair, publicKeyOf, signDigest } from '@vouchsafe/crypto/signing';
import {
  encodeManifest,
  MANIFEST_PAYLOAD_TYPE,
  readUnverifiedManifest,
  signManifest,
  verifyManifest,
} from '@vouchsafe/manifest';
import { type DigestSigner, encodeBase64, formatPem, parseBase64 } from '@vouchsafe/pki';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { makeSigner, sample } from './support.ts';

interface Envelope {
  payloadType: string;
  payload: string;
  signatures: { keyid?: string; sig: string }[];
}
const parse = (bytes: Uint8Array): Envelope => JSON.parse(parseUtf8(bytes)) as Envelope;
const codeOf = (code: string) => ({ name: 'ManifestError', code });

test('what a trusted key has signed is a manifest; the same key signs it the same way twice', async () => {
  const { signer } = makeSigner();
  const envelope = await signManifest(sample(), signer);
  assert.deepEqual(await signManifest(sample(), signer), envelope);
  const { manifest, bytes, signedBy } = verifyManifest(envelope, [makeSigner().signer.spki, signer.spki]);
  assert.deepEqual([manifest.name, toHex(bytes), signedBy], ['edge', toHex(encodeManifest(sample())), signer.spki]);
  assert.equal(parse(envelope).signatures[0]?.keyid, toHex(digest('sha256', signer.spki)));
});

test('without a key, by another key, or changed, it is none', async () => {
  const { signer } = makeSigner();
  const envelope = await signManifest(sample(), signer);
  assert.throws(() => verifyManifest(envelope, []), codeOf('signature_missing'));
  assert.throws(() => verifyManifest(envelope, [makeSigner().signer.spki]), codeOf('signature_missing'));
  const other = { ...sample(), version: '1.4.1' };
  const swapped = { ...parse(envelope), payload: encodeBase64(encodeManifest(other)) };
  assert.throws(() => verifyManifest(utf8(JSON.stringify(swapped)), [signer.spki]), codeOf('signature_missing'));
  assert.equal(readUnverifiedManifest(utf8(JSON.stringify(swapped))).version, '1.4.1');
});

test('every bit of payload and signature counts', async () => {
  const { signer } = makeSigner();
  const envelope = parse(await signManifest(sample(), signer));
  const [{ sig } = { sig: '' }] = envelope.signatures;
  const flipped = (text: string, at: number): string => {
    const bytes = parseBase64(text).slice();
    bytes[at] = (bytes[at] as number) ^ 1;
    return encodeBase64(bytes);
  };
  for (let at = 0; at < 64; at++) {
    const changed = { ...envelope, signatures: [{ sig: flipped(sig, at) }] };
    assert.throws(() => verifyManifest(utf8(JSON.stringify(changed)), [signer.spki]), codeOf('signature_missing'));
  }
  for (let at = 0; at < parseBase64(envelope.payload).length; at += 97) {
    const changed = { ...envelope, payload: flipped(envelope.payload, at) };
    assert.throws(() => verifyManifest(utf8(JSON.stringify(changed)), [signer.spki]), codeOf('signature_missing'));
  }
});

test('a payload of another type cannot be passed off as a manifest', async () => {
  const { signer } = makeSigner();
  const envelope = parse(await signManifest(sample(), signer));
  const other = { ...envelope, payloadType: 'application/vnd.in-toto+json' };
  assert.throws(() => verifyManifest(utf8(JSON.stringify(other)), [signer.spki]), codeOf('payload_type'));
});

test('the hint of an envelope decides nothing: further signatures and wrong names do no harm', async () => {
  const { signer } = makeSigner();
  const envelope = parse(await signManifest(sample(), signer));
  const [good] = envelope.signatures;
  assert.ok(good);
  const several = {
    ...envelope,
    signatures: [{ keyid: good.keyid, sig: encodeBase64(new Uint8Array(64)) }, { sig: good.sig }],
  };
  assert.equal(verifyManifest(utf8(JSON.stringify(several)), [signer.spki]).manifest.name, 'edge');
});

test('malformed envelopes', async () => {
  const { signer } = makeSigner();
  const bytes = await signManifest(sample(), signer);
  for (let length = 0; length < bytes.length - 2; length += 7) {
    assert.throws(() => verifyManifest(bytes.subarray(0, length), [signer.spki]), codeOf('envelope_malformed'));
  }
  const envelope = parse(bytes);
  for (const other of [
    { ...envelope, signatures: [] },
    { ...envelope, signatures: Array.from({ length: 17 }, () => envelope.signatures[0]) },
    { ...envelope, payload: `${envelope.payload} ` },
    { ...envelope, payload: `${envelope.payload}=` },
    { ...envelope, payload: 1 },
    [],
  ]) {
    assert.throws(() => verifyManifest(utf8(JSON.stringify(other)), [signer.spki]), codeOf('envelope_malformed'));
  }
});

test('only Ed25519 keys sign manifests', async () => {
  const { privateKey } = generateKeyPair('rsa-2048');
  const scheme = { kind: 'rsa-pkcs1', hash: 'sha256' } as const;
  const signer: DigestSigner = {
    input: 'digest',
    scheme,
    spki: publicKeyOf(privateKey).spki,
    signDigest: async (bytes) => signDigest(privateKey, scheme, bytes),
  };
  await assert.rejects(signManifest(sample(), signer), codeOf('options_invalid'));
});

test('OpenSSL takes the signature over the pre-authentication encoding', needsTool('openssl'), async (t) => {
  const { signer } = makeSigner();
  const envelope = parse(await signManifest(sample(), signer));
  const payload = parseBase64(envelope.payload);
  const dir = tempDir(t);
  const file = (name: string, content: Uint8Array | string): string => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  // DSSE, protocol.md: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body.
  const head = ascii(`DSSEv1 ${MANIFEST_PAYLOAD_TYPE.length} ${MANIFEST_PAYLOAD_TYPE} ${payload.length} `);
  const args = [
    ...['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', file('key.pem', formatPem('PUBLIC KEY', signer.spki))],
    ...[
      '-in',
      file('message', Buffer.concat([head, payload])),
      '-sigfile',
      file('sig', parseBase64(envelope.signatures[0]?.sig ?? '')),
    ],
  ];
  assert.match(execFileSync('openssl', args, { encoding: 'utf8' }), /Verified Successfully/);
});
