// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { decode, encode } from '@vouchsafe/codec';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import {
  checkAttestationKey,
  decodePcrSelection,
  decodePublic,
  importSigningKey,
  isTpmSignature,
  nameOf,
  type PcrValue,
  pcrDigestOf,
  publicArea,
  signingKeyFromSpki,
  spkiOf,
  tpmDigest,
  tpmsAttest,
  tpmtPublic,
  tpmtSignature,
  verifyQuote,
} from '@vouchsafe/tpm';
import { codeOf, parsePcrFile, spkiOfPem, testdata } from './support.ts';

const read = (...parts: string[]): Uint8Array => Uint8Array.from(readFileSync(vectorPath(...parts)));
const base64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

for (const kind of ['ecc-ecdsa', 'rsa-rsassa', 'rsa-rsapss']) {
  test(`swtpm quote, ${kind}: verifies with the nonce it was made for`, () => {
    const file = (ending: string): Uint8Array => testdata(`quote/${kind}.${ending}`);
    const { selection, values } = parsePcrFile(file('pcrs'));
    const area = decodePublic(file('pub'));
    const key = importSigningKey(area.value);
    const evidence = { attest: file('attest'), signature: file('sig'), pcrs: values };
    const quote = verifyQuote(evidence, { key, selection, nonce: utf8('vouchsafe-nonce-0001') });
    assert.deepEqual(
      quote.pcrs.map(({ pcr }) => pcr),
      [0, 7, 11],
    );
    assert.equal(quote.attest.clockInfo.safe, true);
    assert.deepEqual(nameOf(area), file('name'));
    assert.deepEqual(spkiOf(area.value), spkiOfPem(file('pem')));
    assert.deepEqual(checkAttestationKey(area.value), []);
  });
}

test(
  'boot vectors: the quote of a real guest verifies, its AK is fit, name and PEM agree',
  needsVectors('boot', 'quote'),
  () => {
    const file = (name: string): Uint8Array => read('boot', 'quote', 'full-ima', name);
    const area = decodePublic(file('ak.pub'));
    const { selection, values } = parsePcrFile(file('quote.pcrs'));
    assert.deepEqual(selection, [{ bank: 'sha256', pcrs: Array.from({ length: 16 }, (_, i) => i) }]);
    const evidence = { attest: file('quote.msg'), signature: file('quote.sig'), pcrs: values };
    const expected = { key: importSigningKey(area.value), selection, nonce: file('nonce.bin') };
    const quote = verifyQuote(evidence, expected);
    const lines = parseUtf8(file('pcrs.txt')).trim().split('\n');
    const live = new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(':')), line.slice(line.lastIndexOf(':') + 1)]),
    );
    for (const { bank, pcr, value } of quote.pcrs) {
      // IMA went on between the listing and the quote.
      if (pcr === 10) continue;
      assert.equal(Buffer.from(value).toString('hex').toUpperCase(), live.get(`${bank}:${pcr}`));
    }
    assert.deepEqual(nameOf(area), file('ak.name'));
    assert.deepEqual(spkiOf(area.value), spkiOfPem(file('ak.pem')));
    assert.deepEqual(checkAttestationKey(area.value), []);
    const ek = decodePublic(file('ek.pub'));
    assert.deepEqual(encode(tpmtPublic, ek.value), ek.bytes);
    assert.ok(
      checkAttestationKey(ek.value).some(({ code }) => code === 'ak_attribute'),
      'an EK is no attestation key',
    );
  },
);

test(
  'keylime: tpm2_quote files verify, with the PEM key and with the public area',
  needsVectors('attestation', 'keylime__keylime'),
  () => {
    const file = (name: string): Uint8Array => read('attestation', 'keylime__keylime', 'test-data', 'files', name);
    const { selection, values } = parsePcrFile(file('quotepcr.out'));
    const area = decodePublic(file('ak.pub'));
    assert.deepEqual(nameOf(area), file('ak.name'));
    assert.deepEqual(spkiOf(area.value), spkiOfPem(file('akpub.pem')));
    const attest = file('quote.out');
    // The nonce is not among the files; that it is bound at all is seen from the other quotes.
    const nonce = decode(tpmsAttest, attest).extraData;
    const evidence = { attest, signature: file('quotesig.out'), pcrs: values };
    for (const key of [importSigningKey(area.value), signingKeyFromSpki(spkiOfPem(file('akpub.pem')))]) {
      assert.equal(verifyQuote(evidence, { key, selection, nonce }).pcrs.length, values.length);
    }
  },
);

test(
  'rust-keylime: the parts of the quote text decode, and the PCR values have the quoted digest',
  needsVectors('attestation', 'keylime__rust-keylime'),
  () => {
    const text = parseUtf8(read('attestation', 'keylime__rust-keylime', 'keylime', 'test-data', 'test-quote.txt'));
    const [attest, signature, pcrs] = text.trim().slice(1).split(':').map(base64);
    assert.ok(attest !== undefined && signature !== undefined && pcrs !== undefined);
    const quote = decode(tpmsAttest, attest);
    assert.ok(quote.type === 'quote');
    assert.deepEqual(encode(tpmsAttest, quote), attest);
    const { sigAlg, signature: inner } = decode(tpmtSignature, signature);
    assert.equal(sigAlg, 'rsassa');
    const { values } = parsePcrFile(pcrs);
    const selection = quote.attested.pcrSelect.map(decodePcrSelection);
    assert.deepEqual(pcrDigestOf(inner.hash, selection, values), quote.attested.pcrDigest);
  },
);

test(
  'azure: a vTPM quote over 24 PCRs, signature without TPMT_SIGNATURE around it',
  needsVectors('attestation', 'kinvolk__azure-cvm-tooling'),
  () => {
    const file = (name: string): Uint8Array =>
      read('attestation', 'kinvolk__azure-cvm-tooling', 'az-cvm-vtpm', 'test', name);
    // Rust's bincode: lengths of 64 bits, little-endian; signature, message, 24 digests.
    const bytes = file('quote.bin');
    const view = new DataView(bytes.buffer);
    let at = 0;
    const count = (): number => {
      const n = Number(view.getBigUint64(at, true));
      at += 8;
      return n;
    };
    const take = (n: number): Uint8Array => {
      at += n;
      return bytes.subarray(at - n, at);
    };
    const sig = take(count());
    const attest = take(count());
    const pcrs: PcrValue[] = Array.from({ length: count() }, (_, pcr) => ({ bank: 'sha256', pcr, value: take(32) }));
    assert.equal(at, bytes.length);
    const signature = encode(tpmtSignature, { sigAlg: 'rsassa', signature: { hash: 'sha256', sig } });
    const key = signingKeyFromSpki(spkiOfPem(file('akpub.pem')));
    const selection = [{ bank: 'sha256', pcrs: pcrs.map(({ pcr }) => pcr) }] as const;
    const quote = verifyQuote({ attest, signature, pcrs }, { key, selection, nonce: utf8('challenge') });
    assert.equal(quote.pcrs.length, 24);
  },
);

interface GoAk {
  readonly Public: string;
  readonly CreateData: string;
  readonly CreateAttestation: string;
  readonly CreateSignature: string;
}

/** What go-attestation's CheckAKParameters holds a key to. */
function checkCreation({ Public, CreateData, CreateAttestation, CreateSignature }: GoAk): void {
  const area = decode(tpmtPublic, base64(Public));
  const attest = decode(tpmsAttest, base64(CreateAttestation));
  assert.ok(attest.type === 'creation');
  assert.deepEqual(attest.attested.objectName, nameOf(publicArea(area)));
  assert.ok(area.nameAlg !== 'null');
  assert.deepEqual(attest.attested.creationHash, tpmDigest(area.nameAlg, base64(CreateData)));
  const { fixedTPM, restricted, signEncrypt } = area.objectAttributes;
  assert.ok(fixedTPM && restricted && signEncrypt);
  const signature = decode(tpmtSignature, base64(CreateSignature));
  assert.equal(isTpmSignature(importSigningKey(area), base64(CreateAttestation), signature), true);
  assert.deepEqual(encode(tpmtPublic, area), base64(Public));
}

test(
  'go-attestation: AK parameters of an RSA and an ECC key hold together',
  needsVectors('attestation', 'EXPECTED'),
  () => {
    const path = vectorPath('attestation', 'EXPECTED', 'derived', 'go-attestation-activation.json');
    const cases = JSON.parse(readFileSync(path, 'utf8')) as { ak?: GoAk }[];
    const keys = cases.flatMap(({ ak }) => (ak === undefined ? [] : [ak]));
    assert.equal(keys.length, 2);
    for (const ak of keys) checkCreation(ak);
  },
);

test(
  'go-attestation: the quote of a Windows shielded VM verifies once SHA-1 is allowed, and not before',
  needsVectors('attestation', 'google__go-attestation'),
  () => {
    const path = vectorPath(
      'attestation',
      'google__go-attestation',
      'attest',
      'testdata',
      'windows_gcp_shielded_vm.json',
    );
    const dump = JSON.parse(readFileSync(path, 'utf8')) as {
      AK: GoAk;
      Quote: { Nonce: string; Quote: string; Signature: string };
      Log: { PCRs: { Index: number; Digest: string }[] };
    };
    checkCreation(dump.AK);
    const area = decode(tpmtPublic, base64(dump.AK.Public));
    assert.deepEqual(
      checkAttestationKey(area).map(({ code, where }) => `${code} ${where.path}`),
      ['ak_weak parameters.scheme.hashAlg'],
    );
    const pcrs: PcrValue[] = dump.Log.PCRs.map(({ Index, Digest }) => ({
      bank: 'sha1',
      pcr: Index,
      value: base64(Digest),
    }));
    const evidence = { attest: base64(dump.Quote.Quote), signature: base64(dump.Quote.Signature), pcrs };
    const selection = [{ bank: 'sha1', pcrs: Array.from({ length: 24 }, (_, i) => i) }] as const;
    const expected = { key: importSigningKey(area), selection, nonce: base64(dump.Quote.Nonce) };
    assert.equal(verifyQuote(evidence, { ...expected, signatureHashes: ['sha1'] }).pcrs.length, 24);
    assert.equal(
      codeOf(() => verifyQuote(evidence, expected)),
      'signature_scheme',
    );
  },
);
