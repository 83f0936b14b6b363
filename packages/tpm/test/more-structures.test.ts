// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { type Codec, CodecError, decode, encode } from '@vouchsafe/codec';
import {
  nvAttributes,
  objectAttributes,
  TPM_HASH,
  TPM_NT,
  TPM_PT,
  type TpmHash,
  tpm2bCreationData,
  tpm2bEncryptedSecret,
  tpm2bIdObject,
  tpm2bNvPublic,
  tpm2bPrivate,
  tpm2bSensitive,
  tpmaObject,
  tpmaSession,
  tpmHashSize,
  tpmlDigestValues,
  tpmsAuthCommand,
  tpmsAuthResponse,
  tpmsCapabilityData,
  tpmsContext,
  tpmsCreationData,
  tpmsIdObject,
  tpmsNvPublic,
  tpmsSensitiveCreate,
  tpmtHa,
  tpmtSensitive,
  tpmtSignature,
  tpmtTicket,
} from '@vouchsafe/tpm';
import fc from 'fast-check';
import { codeOf } from './support.ts';

const record = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
const octets = (maxLength: number, minLength = 0): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength, maxLength });
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hash = fc.constantFrom(...(Object.keys(TPM_HASH) as TpmHash[]));
const ha = hash.chain((hashAlg) =>
  octets(tpmHashSize(hashAlg), tpmHashSize(hashAlg)).map((digest) => ({ hashAlg, digest })),
);
const selections = fc.array(record({ hash, pcrSelect: octets(4) }), { maxLength: 16 });
const session = record({
  continueSession: fc.boolean(),
  auditExclusive: fc.boolean(),
  auditReset: fc.boolean(),
  decrypt: fc.boolean(),
  encrypt: fc.boolean(),
  audit: fc.boolean(),
});
const nvBits = Object.keys(nvAttributes('ordinary')).filter((name) => name !== 'type') as 'written'[];
const nvPublic = record({
  nvIndex: u32,
  nameAlg: hash,
  attributes: fc
    .tuple(fc.constantFrom(...(Object.keys(TPM_NT) as 'ordinary'[])), fc.subarray(nvBits))
    .map(([type, set]) => nvAttributes(type, ...set)),
  authPolicy: octets(64),
  dataSize: u16,
});
const creation = record({
  pcrSelect: selections,
  pcrDigest: octets(64),
  locality: fc.nat(255),
  parentNameAlg: fc.constantFrom('sha256', 'null', 0x7777),
  parentName: octets(66),
  parentQualifiedName: octets(66),
  outsideInfo: octets(66),
});
const sensitive = record({
  sensitiveType: fc.constantFrom('rsa', 'keyedhash', 'ecc', 'symcipher'),
  authValue: octets(64),
  seedValue: octets(64),
  sensitive: octets(1024),
});
const capability = fc.oneof(
  record({ capability: fc.constant('handles'), data: fc.array(u32, { maxLength: 254 }) }),
  record({ capability: fc.constant('commands'), data: fc.array(u32, { maxLength: 256 }) }),
  record({ capability: fc.constant('pcrs'), data: selections }),
  record({
    capability: fc.constant('tpmProperties'),
    data: fc.array(record({ property: u32, value: u32 }), { maxLength: 128 }),
  }),
  record({
    capability: fc.constant('eccCurves'),
    data: fc.array(fc.constantFrom('nistP256', 0x7777), { maxLength: 512 }),
  }),
  record({
    capability: fc.constant('authPolicies'),
    data: fc.array(record({ handle: u32, policyHash: ha }), { maxLength: 128 }),
  }),
  record({ capability: fc.constant('vendor'), data: octets(100) }),
);
const ticket = record({
  tag: fc.constantFrom('creation', 'verified', 'authSecret', 'hashcheck', 'authSigned'),
  hierarchy: u32,
  digest: octets(64),
});
const eccSignature = record({
  sigAlg: fc.constantFrom('ecdsa', 'ecdaa', 'sm2', 'ecschnorr'),
  signature: record({ hash, signatureR: octets(80), signatureS: octets(80) }),
});
const signature = fc.oneof(
  record({ sigAlg: fc.constant('null'), signature: fc.constant({}) }),
  record({ sigAlg: fc.constant('hmac'), signature: ha }),
  record({ sigAlg: fc.constantFrom('rsassa', 'rsapss'), signature: record({ hash, sig: octets(512) }) }),
  eccSignature,
);

const CASES: readonly (readonly [Codec<never>, fc.Arbitrary<unknown>])[] = [
  [tpmaSession, session],
  [tpmsAuthCommand, record({ sessionHandle: u32, nonce: octets(64), sessionAttributes: session, hmac: octets(64) })],
  [tpmsAuthResponse, record({ nonce: octets(64), sessionAttributes: session, hmac: octets(64) })],
  [tpmtHa, ha],
  [tpmlDigestValues, fc.array(ha, { maxLength: 16 })],
  [tpmsNvPublic, nvPublic],
  [tpmsCreationData, creation],
  [tpmtSensitive, sensitive],
  [tpm2bSensitive, sensitive],
  [tpmsSensitiveCreate, record({ userAuth: octets(64), data: octets(1024) })],
  [tpm2bPrivate, octets(1290)],
  [tpm2bEncryptedSecret, octets(512)],
  [tpm2bIdObject, octets(132)],
  [tpmsIdObject, record({ integrityHMAC: octets(64), encIdentity: octets(66) })],
  [tpmsCapabilityData, capability],
  [tpmsContext, record({ sequence: u64, savedHandle: u32, hierarchy: u32, contextBlob: octets(4096) })],
  [tpmtTicket, ticket],
  [tpmtSignature, signature],
] as never;

for (const [codec, arbitrary] of CASES) {
  test(`${codec.name}: any value round-trips; every truncation and an octet more are errors of the codec`, () => {
    // What takes all the octets that there are has no truncation.
    const isOpenEnded = codec === (tpmsIdObject as unknown);
    fc.assert(
      fc.property(arbitrary, fc.nat(), (value, cut) => {
        const bytes = encode(codec, value as never);
        assert.deepEqual(decode(codec, bytes), value);
        if (isOpenEnded || (value as { capability?: string }).capability === 'vendor') return;
        const prefix = bytes.subarray(0, cut % bytes.length);
        assert.throws(() => decode(codec, prefix), CodecError);
        assert.throws(() => decode(codec, concatBytes(bytes, Uint8Array.of(0))), CodecError);
      }),
      { numRuns: 60 },
    );
  });
}

test('structures that keep their octets write them back', () => {
  fc.assert(
    fc.property(nvPublic, creation, (index, made) => {
      const size = (bytes: Uint8Array): Uint8Array =>
        concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
      const nv = size(encode(tpmsNvPublic, index as never));
      assert.deepEqual(encode(tpm2bNvPublic, decode(tpm2bNvPublic, nv)), nv);
      const creationData = size(encode(tpmsCreationData, made as never));
      assert.deepEqual(encode(tpm2bCreationData, decode(tpm2bCreationData, creationData)), creationData);
    }),
    { numRuns: 60 },
  );
});

test('reserved bits and values without a meaning are refused, each one', () => {
  const word = (bit: number): Uint8Array => Uint8Array.from([24, 16, 8, 0], (shift) => ((1 << bit) >>> shift) & 0xff);
  const index = (attributes: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(1, 0x80, 0, 1, 0, 0xb), attributes, Uint8Array.of(0, 0, 0, 8));
  // Part 2, section 13.4: bits 8, 9 and 20 to 24 are reserved; of the types in bits 4 to 7 six are defined.
  const reserved = [8, 9, 20, 21, 22, 23, 24];
  for (let bit = 0; bit < 32; bit++) {
    const bytes = index(word(bit));
    const isType = bit >= 4 && bit < 8;
    if (reserved.includes(bit))
      assert.equal(
        codeOf(() => decode(tpmsNvPublic, bytes)),
        'invalid',
        `bit ${bit}`,
      );
    else if (!isType) assert.deepEqual(encode(tpmsNvPublic, decode(tpmsNvPublic, bytes)), bytes);
  }
  const types = new Set<number>(Object.values(TPM_NT));
  for (let type = 0; type < 16; type++) {
    const bytes = index(Uint8Array.of(0, 0, 0, type << 4));
    if (types.has(type)) assert.deepEqual(encode(tpmsNvPublic, decode(tpmsNvPublic, bytes)), bytes);
    else
      assert.equal(
        codeOf(() => decode(tpmsNvPublic, bytes)),
        'invalid',
        `type ${type}`,
      );
  }
  for (const bit of [3, 4])
    assert.equal(
      codeOf(() => decode(tpmaSession, Uint8Array.of(1 << bit))),
      'unknown_value',
    );
  assert.equal(
    codeOf(() => decode(tpmtTicket, Uint8Array.of(0x80, 0x20, 0, 0, 0, 0, 0, 0))),
    'unknown_value',
  );
});

test('A21: one more than the limit of a list or a buffer is refused before it is read', () => {
  const count = (capability: number, n: number): Uint8Array =>
    Uint8Array.of(0, 0, capability >> 8, capability & 0xff, n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff);
  // Part 2, section 10.9: 1,024 octets of items.
  for (const [capability, max] of [
    [0, 170],
    [1, 254],
    [2, 256],
    [5, 16],
    [6, 128],
    [7, 170],
    [8, 512],
    [9, 128],
  ] as const) {
    for (const n of [max + 1, 0xffff_ffff]) {
      assert.equal(
        codeOf(() => decode(tpmsCapabilityData, count(capability, n))),
        'limit',
        `${capability}: ${n}`,
      );
    }
    assert.equal(
      codeOf(() => decode(tpmsCapabilityData, count(capability, max))),
      'truncated',
      `${capability}: ${max}`,
    );
  }
  assert.equal(
    codeOf(() => decode(tpmlDigestValues, Uint8Array.of(0, 0, 0, 17))),
    'limit',
  );
  for (const codec of [
    tpm2bPrivate,
    tpm2bEncryptedSecret,
    tpm2bIdObject,
    tpm2bNvPublic,
    tpm2bCreationData,
    tpm2bSensitive,
  ]) {
    assert.equal(
      codeOf(() => decode(codec as Codec<unknown>, Uint8Array.of(0xff, 0xff))),
      'limit',
      codec.name,
    );
  }
});

test('attributes by name are those of the words', () => {
  assert.deepEqual(encode(tpmaObject, objectAttributes()), new Uint8Array(4));
  assert.deepEqual(
    encode(tpmaObject, objectAttributes('fixedTPM', 'restricted', 'decrypt')),
    Uint8Array.of(0, 3, 0, 2),
  );
  // TCG EK Credential Profile, the templates of the low and the high range.
  const low = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'adminWithPolicy', 'restricted', 'decrypt'] as const;
  assert.deepEqual(encode(tpmaObject, objectAttributes(...low)), Uint8Array.of(0, 3, 0, 0xb2));
  assert.deepEqual(encode(tpmaObject, objectAttributes(...low, 'userWithAuth')), Uint8Array.of(0, 3, 0, 0xf2));
});

test('no two properties have one number', () => {
  assert.equal(new Set(Object.values(TPM_PT)).size, Object.keys(TPM_PT).length);
});
