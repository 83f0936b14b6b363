// SPDX-License-Identifier: Apache-2.0
// Attacks A3 to A8, A28 and A32 of the threat model, each carried out with a key that really signs.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import {
  checkAttestationKey,
  checkQuote,
  decodePublic,
  encodePcrSelection,
  importSigningKey,
  type PcrSelection,
  type PcrValue,
  type QuoteEvidence,
  type QuoteExpectation,
  type SelectedQuote,
  type SignedAttest,
  type SignedQuote,
  signingKeyFromSpki,
  type TpmsAttest,
  type TpmsQuote,
  tpmsAttest,
  tpmtSignature,
  verifyQuote,
  verifyQuoteNonce,
  verifyQuotePcrs,
  verifyQuoteSelection,
  verifyQuoteType,
} from '@vouchsafe/tpm';
import { codeOf, parsePcrFile, testdata } from './support.ts';

// An attacker's unrestricted software key: it signs anything.
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const key = signingKeyFromSpki(Uint8Array.from(publicKey.export({ type: 'spki', format: 'der' })));
const nonce = utf8('challenge-of-20-octet');
const SELECTION: readonly PcrSelection[] = [{ bank: 'sha256', pcrs: [4, 7, 11] }];
const PCRS: readonly PcrValue[] = [4, 7, 11].map((pcr) => ({
  bank: 'sha256',
  pcr,
  value: new Uint8Array(32).fill(pcr),
}));

const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  Uint8Array.from(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  );

function quoteOf(selection: readonly PcrSelection[], pcrs: readonly PcrValue[], extraData = nonce): TpmsQuote {
  return {
    magic: 0xff544347,
    type: 'quote',
    qualifiedSigner: new Uint8Array(34),
    extraData,
    clockInfo: { clock: 1n, resetCount: 1, restartCount: 0, safe: true },
    firmwareVersion: 1n,
    attested: {
      pcrSelect: selection.map(encodePcrSelection),
      pcrDigest: sha256(...pcrs.map(({ value }) => value)),
    },
  };
}

function signed(attest: Uint8Array, hash: 'sha256' | 'sha1' = 'sha256'): Uint8Array {
  const raw = sign(hash, attest, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const [signatureR, signatureS] = [Uint8Array.from(raw.subarray(0, 32)), Uint8Array.from(raw.subarray(32))];
  return encode(tpmtSignature, { sigAlg: 'ecdsa', signature: { hash, signatureR, signatureS } });
}

function evidenceOf(attest: TpmsAttest | Uint8Array, pcrs: readonly PcrValue[] = PCRS): QuoteEvidence {
  const bytes = attest instanceof Uint8Array ? attest : encode(tpmsAttest, attest);
  return { attest: bytes, signature: signed(bytes), pcrs };
}

const GOOD = quoteOf(SELECTION, PCRS);
const EXPECTED: QuoteExpectation = { key, selection: SELECTION, nonce };

function refusal(evidence: QuoteEvidence, expected: QuoteExpectation = EXPECTED): string {
  const code = codeOf(() => verifyQuote(evidence, expected));
  const outcome = checkQuote(evidence, expected);
  assert.ok(!outcome.isGood);
  assert.equal(outcome.findings[0].code, code);
  return code;
}

test('the quote that the attacks start from is good', () => {
  assert.equal(verifyQuote(evidenceOf(GOOD), EXPECTED).pcrs.length, 3);
  assert.equal(checkQuote(evidenceOf(GOOD), EXPECTED).isGood, true);
});

test('A1: a quote for another nonce is refused, also one whose nonce merely starts with it', () => {
  assert.equal(refusal(evidenceOf(quoteOf(SELECTION, PCRS, utf8('challenge-of-yesterday')))), 'quote_nonce');
  assert.equal(refusal(evidenceOf(quoteOf(SELECTION, PCRS, concatBytes(nonce, nonce)))), 'quote_nonce');
  assert.equal(refusal(evidenceOf(quoteOf(SELECTION, PCRS, new Uint8Array()))), 'quote_nonce');
});

test('A3: a signed structure without the TPM magic is refused', () => {
  const bytes = encode(tpmsAttest, GOOD);
  bytes[0] = 0x00;
  assert.equal(refusal(evidenceOf(bytes)), 'quote_magic');
  assert.equal(refusal(evidenceOf(new Uint8Array())), 'quote_magic');
  assert.equal(refusal(evidenceOf(bytes.subarray(0, 3))), 'quote_magic');
});

test('A4: every other type of attestation is refused', () => {
  const { attested: _, type: __, ...head } = GOOD;
  const empty = new Uint8Array();
  const others: TpmsAttest[] = [
    { ...head, type: 'certify', attested: { name: empty, qualifiedName: empty } },
    { ...head, type: 'creation', attested: { objectName: empty, creationHash: empty } },
    { ...head, type: 'nv', attested: { indexName: empty, offset: 0, nvContents: empty } },
    { ...head, type: 'nvDigest', attested: { indexName: empty, nvDigest: empty } },
    { ...head, type: 'sessionAudit', attested: { exclusiveSession: false, sessionDigest: empty } },
    {
      ...head,
      type: 'commandAudit',
      attested: { auditCounter: 0n, digestAlg: 'sha256', auditDigest: empty, commandDigest: empty },
    },
    { ...head, type: 'time', attested: { time: { time: 0n, clockInfo: GOOD.clockInfo }, firmwareVersion: 0n } },
  ];
  for (const attest of others) assert.equal(refusal(evidenceOf(attest)), 'quote_type', attest.type);
  const unknown = encode(tpmsAttest, GOOD);
  unknown[5] = 0x1b;
  assert.equal(refusal(evidenceOf(unknown)), 'quote_type');
});

test('A5: a quote over no PCR is refused, as no bank, as an empty bank, and when nothing is expected', () => {
  assert.equal(refusal(evidenceOf(quoteOf([], []))), 'quote_selection');
  assert.equal(refusal(evidenceOf(quoteOf([{ bank: 'sha256', pcrs: [] }], []))), 'quote_selection');
  const nothing = { ...EXPECTED, selection: [] };
  assert.equal(
    codeOf(() => verifyQuote(evidenceOf(quoteOf([], [])), nothing)),
    'argument_invalid',
  );
  const emptyBank = { ...EXPECTED, selection: [{ bank: 'sha256', pcrs: [] }] } as const;
  assert.equal(
    codeOf(() => verifyQuote(evidenceOf(quoteOf([], [])), emptyBank)),
    'argument_invalid',
  );
});

test('A6: a subset, a superset, another bank and a bank more are refused', () => {
  const selections: PcrSelection[][] = [
    [{ bank: 'sha256', pcrs: [16] }],
    [{ bank: 'sha256', pcrs: [4, 7] }],
    [{ bank: 'sha256', pcrs: [4, 7, 11, 12] }],
    [{ bank: 'sha1', pcrs: [4, 7, 11] }],
    [...SELECTION, { bank: 'sha1', pcrs: [4] }],
    [...SELECTION, { bank: 'sha1', pcrs: [] }],
    [...SELECTION, ...SELECTION],
  ];
  for (const selection of selections) assert.equal(refusal(evidenceOf(quoteOf(selection, PCRS))), 'quote_selection');
});

test('the same PCRs in another order, or named twice, are the same selection; a bank named twice is none', () => {
  const sha1: PcrValue = { bank: 'sha1', pcr: 4, value: new Uint8Array(20).fill(4) };
  const both: PcrSelection[] = [...SELECTION, { bank: 'sha1', pcrs: [4] }];
  const quoted = evidenceOf(quoteOf(both, [...PCRS, sha1]), [sha1, ...PCRS]);
  const orders: PcrSelection[][] = [
    both,
    [{ bank: 'sha1', pcrs: [4, 4] }, ...SELECTION],
    [
      { bank: 'sha256', pcrs: [11, 4, 7, 4] },
      { bank: 'sha1', pcrs: [4] },
    ],
  ];
  for (const selection of orders) {
    const { pcrs } = verifyQuote(quoted, { ...EXPECTED, selection });
    // In the order of the signed bytes, as copies.
    assert.deepEqual(pcrs, [...PCRS, sha1]);
    assert.ok(pcrs.every(({ value }) => value.buffer !== sha1.value.buffer && value.buffer !== PCRS[0]?.value.buffer));
  }
  const swapped: PcrSelection[] = [
    { bank: 'sha1', pcrs: [4, 7, 11] },
    { bank: 'sha256', pcrs: [4] },
  ];
  assert.equal(refusal(quoted, { ...EXPECTED, selection: swapped }), 'quote_selection');
  assert.equal(
    codeOf(() => verifyQuote(quoted, { ...EXPECTED, selection: [...SELECTION, ...SELECTION] })),
    'argument_invalid',
  );
});

test('A7: a value that is not quoted does not come out', () => {
  const extra: PcrValue = { bank: 'sha256', pcr: 12, value: new Uint8Array(32) };
  const quote = verifyQuote(evidenceOf(GOOD, [...PCRS, extra]), EXPECTED);
  assert.deepEqual(
    quote.pcrs.map(({ pcr }) => pcr),
    [4, 7, 11],
  );
});

test('A8: two values for one PCR are refused, equal or not, quoted or not; so are missing and short ones', () => {
  const [first, ...others] = PCRS as [PcrValue, ...PcrValue[]];
  const forged = { ...first, value: new Uint8Array(32) };
  assert.equal(refusal(evidenceOf(GOOD, [forged, ...PCRS])), 'pcr_value_repeated');
  assert.equal(refusal(evidenceOf(GOOD, [...PCRS, first])), 'pcr_value_repeated');
  const spare = { ...first, pcr: 1 };
  assert.equal(refusal(evidenceOf(GOOD, [...PCRS, spare, spare])), 'pcr_value_repeated');
  assert.equal(refusal(evidenceOf(GOOD, others)), 'pcr_value_missing');
  // The same octets, cut at another place, have the same digest.
  const second = others[0] as PcrValue;
  const shifted = [
    { ...first, value: concatBytes(first.value, second.value.subarray(0, 1)) },
    { ...second, value: second.value.subarray(1) },
    ...others.slice(1),
  ];
  assert.equal(refusal(evidenceOf(GOOD, shifted)), 'pcr_value_size');
});

test('forged PCR values have another digest', () => {
  const forged = PCRS.map((value) => (value.pcr === 7 ? { ...value, value: new Uint8Array(32) } : value));
  assert.equal(refusal(evidenceOf(GOOD, forged)), 'quote_pcr_digest');
});

test('every changed octet of a quote breaks the signature', () => {
  const { attest, signature } = evidenceOf(GOOD);
  for (let i = 0; i < attest.length; i++) {
    const changed = attest.slice();
    changed[i] = (changed[i] as number) ^ 0x01;
    assert.equal(
      codeOf(() => verifyQuote({ attest: changed, signature, pcrs: PCRS }, EXPECTED)),
      'signature_invalid',
    );
  }
});

test('signed bytes that are no structure behind magic and type are malformed, and a finding', () => {
  const bytes = concatBytes(encode(tpmsAttest, GOOD), Uint8Array.of(0));
  assert.equal(
    codeOf(() => verifyQuote(evidenceOf(bytes), EXPECTED)),
    'trailing_bytes',
  );
  const outcome = checkQuote(evidenceOf(bytes), EXPECTED);
  assert.ok(!outcome.isGood);
  assert.equal(outcome.findings[0].code, 'quote_malformed');
});

test('A32: SHA-1, another scheme than the key fixes, and an algorithm that is not the key’s are refused', () => {
  const attest = encode(tpmsAttest, GOOD);
  assert.equal(refusal({ attest, signature: signed(attest, 'sha1'), pcrs: PCRS }), 'signature_scheme');
  const rsa = encode(tpmtSignature, { sigAlg: 'rsassa', signature: { hash: 'sha256', sig: new Uint8Array(256) } });
  assert.equal(refusal({ attest, signature: rsa, pcrs: PCRS }), 'signature_scheme');
  const file = (name: string): Uint8Array => testdata(`quote/${name}`);
  const { selection, values } = parsePcrFile(file('rsa-rsassa.pcrs'));
  const pss = importSigningKey(decodePublic(file('rsa-rsapss.pub')).value);
  const evidence = { attest: file('rsa-rsassa.attest'), signature: file('rsa-rsassa.sig'), pcrs: values };
  assert.equal(refusal(evidence, { key: pss, selection, nonce }), 'signature_scheme');
  const ecc = importSigningKey(decodePublic(file('ecc-ecdsa.pub')).value);
  assert.equal(refusal(evidence, { key: ecc, selection, nonce }), 'signature_scheme');
  // Another RSA key: the scheme fits, the signature does not.
  const other = { publicKey: pss.publicKey };
  assert.equal(refusal(evidence, { key: other, selection, nonce }), 'signature_invalid');
});

test('a signature whose numbers are too long for the curve is refused without an exception of another kind', () => {
  const attest = encode(tpmsAttest, GOOD);
  for (const size of [0, 1, 31, 33, 80]) {
    const part = new Uint8Array(size).fill(0xff);
    const value = { sigAlg: 'ecdsa', signature: { hash: 'sha256', signatureR: part, signatureS: part } } as const;
    assert.equal(refusal({ attest, signature: encode(tpmtSignature, value), pcrs: PCRS }), 'signature_invalid');
  }
});

test('A28: each attribute that an attestation key lacks is a finding, and a decrypting one is none', () => {
  const { value } = decodePublic(testdata('quote/ecc-ecdsa.pub'));
  for (const name of ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'signEncrypt'] as const) {
    const findings = checkAttestationKey({ ...value, objectAttributes: { ...value.objectAttributes, [name]: false } });
    assert.deepEqual(
      findings.map(({ code, where }) => `${code} ${where.path}`),
      [`ak_attribute objectAttributes.${name}`],
    );
  }
  const decrypting = { ...value, objectAttributes: { ...value.objectAttributes, decrypt: true } };
  assert.equal(checkAttestationKey(decrypting)[0]?.where.path, 'objectAttributes.decrypt');
});

test('A32: P-224, RSA-1024, SHA-1 names and keys without a scheme are findings; P-224 cannot be imported', () => {
  const { value } = decodePublic(testdata('quote/ecc-ecdsa.pub'));
  assert.ok(value.type === 'ecc');
  const p224 = { ...value, parameters: { ...value.parameters, curveID: 'nistP224' as const } };
  assert.deepEqual(
    checkAttestationKey(p224).map(({ code }) => code),
    ['ak_algorithm'],
  );
  assert.equal(
    codeOf(() => importSigningKey(p224)),
    'key_unsupported',
  );
  const { value: rsa } = decodePublic(testdata('quote/rsa-rsassa.pub'));
  assert.ok(rsa.type === 'rsa');
  const short = { ...rsa, parameters: { ...rsa.parameters, keyBits: 1024 } };
  assert.deepEqual(
    checkAttestationKey(short).map(({ code }) => code),
    ['ak_weak'],
  );
  assert.equal(
    codeOf(() => importSigningKey(short)),
    'key_unsupported',
  );
  assert.deepEqual(
    checkAttestationKey({ ...rsa, nameAlg: 'sha1' }).map(({ code }) => code),
    ['ak_weak'],
  );
  const free = { ...rsa, parameters: { ...rsa.parameters, scheme: { scheme: 'null', details: {} } } } as const;
  assert.deepEqual(
    checkAttestationKey(free).map(({ code }) => code),
    ['ak_scheme'],
  );
});

test('no step takes what an earlier one has not made; the compiler says so', () => {
  const outOfOrder = (signed: SignedAttest, quote: SignedQuote, selected: SelectedQuote): void => {
    // @ts-expect-error the selection has not been compared
    verifyQuoteNonce(quote, nonce);
    // @ts-expect-error the nonce has not been compared
    verifyQuotePcrs(selected, PCRS);
    // @ts-expect-error the type has not been looked at
    verifyQuoteSelection(signed, SELECTION);
    // @ts-expect-error the signature has not been checked
    verifyQuoteType({ bytes: new Uint8Array(), hash: 'sha256' });
  };
  assert.equal(typeof outOfOrder, 'function');
});
