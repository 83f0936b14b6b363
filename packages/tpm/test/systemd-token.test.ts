// SPDX-License-Identifier: Apache-2.0
// What a token or a pcrlock file of strangers may hold. No TPM is needed: the object is made for a key that nobody has.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ascii, concatBytes, toHex } from '@vouchsafe/base';
import { generateKeyPair } from '@vouchsafe/crypto/signing';
import {
  nameOf,
  nvAttributes,
  nvPublicArea,
  parsePcrlockPolicy,
  parseSystemdToken,
  pcrlockPolicyDigest,
  policyOr,
  policyPcr,
  publicArea,
  publicAreaFromSpki,
  sealForImport,
  srkTemplate,
  startPolicy,
  systemdTokenOf,
} from '@vouchsafe/tpm';

const random = (size: number): Uint8Array => Uint8Array.from(randomBytes(size));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
const tpm2b = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);

const { value: template } = srkTemplate('ecc');
const key = publicAreaFromSpki(generateKeyPair('P-256').publicKey.spki, {
  nameAlg: 'sha256',
  objectAttributes: template.objectAttributes,
});
assert.ok(key.type === 'ecc' && template.type === 'ecc');
const parent = publicArea({ ...template, unique: key.unique });
const made = sealForImport(parent.value, { data: ascii('secret'), authPolicy: new Uint8Array(32) }, random);
const resource = (handle: number, kind: number, name: Uint8Array, area: Uint8Array): Uint8Array =>
  concatBytes(u32(handle), tpm2b(name), u32(kind), tpm2b(area));
const srk = (handle = 0x8100_0001, kind = 1): string => base64(resource(handle, kind, nameOf(parent), parent.bytes));
const NV = 0x0180_0001;
const nvArea = (nvIndex: number, nameAlg: 'sha1' | 'sha256' = 'sha256') =>
  nvPublicArea({
    nvIndex,
    nameAlg,
    attributes: nvAttributes('ordinary', 'ownerRead'),
    authPolicy: new Uint8Array(),
    dataSize: 34,
  });
const nv = (handle = NV, nvIndex = handle, nameAlg: 'sha1' | 'sha256' = 'sha256'): string =>
  base64(resource(handle, 2, new Uint8Array(34), nvArea(nvIndex, nameAlg).bytes));
const blob = concatBytes(tpm2b(made.duplicate), tpm2b(made.objectPublic.bytes), tpm2b(made.inSymSeed));

const TOKEN = {
  type: 'systemd-tpm2',
  keyslots: ['1'],
  'tpm2-blob': base64(blob),
  'tpm2-pcrs': [7],
  'tpm2-pcr-bank': 'sha256',
  'tpm2-policy-hash': '00'.repeat(32),
  'tpm2-pin': true,
  tpm2_pcrlock: true,
  tpm2_salt: base64(random(32)),
  tpm2_srk: srk(),
  tpm2_pcrlock_nv: nv(),
};

test('a token with all that is known here is read whole', () => {
  const { shards, keyslots, pinSalt } = parseSystemdToken(TOKEN, 'token');
  assert.deepEqual([shards.length, keyslots, base64(pinSalt ?? new Uint8Array())], [1, ['1'], TOKEN.tpm2_salt]);
  const [shard] = shards;
  assert.deepEqual(shard?.parent, { template: 'persistent', handle: 0x8100_0001, area: parent });
  assert.deepEqual(shard?.seed, made.inSymSeed);
  assert.equal(shard?.policy.pcrlock?.handle, NV);
  // What only later versions say is not written: version 252 would not read it.
  assert.throws(() => systemdTokenOf({ shards, keyslots }), { code: 'argument_invalid' });
});

test('a token that says what is not known here, or contradicts itself, is refused', () => {
  const bad: readonly [string, unknown][] = [
    ['tpm2_pubkey_ref', 'a policy of a later version'],
    ['tpm2_other', true],
    ['tpm2-blob', []],
    ['tpm2-blob', [TOKEN['tpm2-blob'], TOKEN['tpm2-blob']]],
    ['tpm2-blob', 'AAAA'],
    ['tpm2-blob', base64(concatBytes(blob, Uint8Array.of(0)))],
    ['tpm2-blob', 7],
    ['tpm2_srk', srk(0x8000_0001)],
    ['tpm2_srk', srk(0x8100_0001, 2)],
    ['tpm2_srk', nv()],
    ['tpm2_srk', ''],
    ['tpm2_salt', '*'],
    ['tpm2_pcrlock', 'yes'],
    ['tpm2_pcrlock_nv', undefined],
    ['tpm2_pcrlock_nv', srk()],
    ['tpm2_pcrlock_nv', nv(NV, NV + 1)],
    ['tpm2_pcrlock_nv', nv(NV, NV, 'sha1')],
    ['tpm2_pubkey', 'AAAA'],
  ];
  for (const [name, value] of bad) {
    assert.throws(() => parseSystemdToken({ ...TOKEN, [name]: value }, 'token'), { code: 'sealed_malformed' }, name);
  }
  // Every truncation of what is binary.
  for (let size = 0; size < blob.length; size++) {
    const isWithoutSeed = size === blob.length - made.inSymSeed.length - 2;
    const cut = { ...TOKEN, 'tpm2-blob': base64(blob.subarray(0, size)) };
    if (isWithoutSeed) assert.equal(parseSystemdToken(cut, 'token').shards[0]?.seed, undefined);
    else assert.throws(() => parseSystemdToken(cut, 'token'), { code: 'sealed_malformed' }, `${size}`);
  }
});

const [A, B, C] = [1, 2, 3].map((octet) => toHex(new Uint8Array(32).fill(octet))) as [string, string, string];
const FILE = {
  pcrBank: 'sha256',
  pcrValues: [
    { pcr: 11, values: [A, B, A] },
    { pcr: 4, values: [C] },
  ],
  nvIndex: NV,
  nvHandle: nv(),
};

test('a pcrlock file: single values first, then one OR for each PCR with several', () => {
  const policy = parsePcrlockPolicy(JSON.stringify(FILE), 'pcrlock.json');
  const value = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
  const single = policyPcr(
    startPolicy('sha256'),
    [{ bank: 'sha256', pcrs: [4] }],
    [{ bank: 'sha256', pcr: 4, value: value(C) }],
  );
  const branches = [A, B].map(
    (hex) =>
      policyPcr(single, [{ bank: 'sha256', pcrs: [11] }], [{ bank: 'sha256', pcr: 11, value: value(hex) }]).digest,
  );
  assert.deepEqual(pcrlockPolicyDigest(policy), policyOr(single, branches).digest);
});

test('a pcrlock file that contradicts itself, or holds more than a policy can, is refused', () => {
  const nine = Array.from({ length: 9 }, (_, i) => toHex(new Uint8Array(32).fill(i)));
  const bad: readonly object[] = [
    { pcrBank: 'md5' },
    { pcrValues: [] },
    { pcrValues: [{ pcr: 24, values: [A] }] },
    { pcrValues: [{ pcr: 4, values: [] }] },
    { pcrValues: [{ pcr: 4, values: nine }] },
    { pcrValues: [{ pcr: 4, values: ['00'] }] },
    { pcrValues: [{ pcr: 4, values: ['xx'] }] },
    {
      pcrValues: [
        { pcr: 4, values: [A] },
        { pcr: 4, values: [B] },
      ],
    },
    { pcrValues: [7] },
    { nvIndex: NV + 1 },
    { nvHandle: srk() },
    { nvHandle: '' },
  ];
  for (const change of bad) {
    const text = JSON.stringify({ ...FILE, ...change });
    assert.throws(() => parsePcrlockPolicy(text, 'pcrlock.json'), { code: 'sealed_malformed' }, text);
  }
  assert.throws(() => parsePcrlockPolicy('{', 'pcrlock.json'), { code: 'sealed_malformed' });
});
