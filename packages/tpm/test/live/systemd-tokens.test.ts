// SPDX-License-Identifier: Apache-2.0
// LUKS2 tokens as systemd 254 and later write them, made here by their format: Debian 12 has 252.
import assert from 'node:assert/strict';
import { createHash, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ascii, concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { formatPem } from '@vouchsafe/pki';
import { needsTool } from '@vouchsafe/testing';
import {
  createPrimary,
  execute,
  flush,
  nameOf,
  nvAttributes,
  nvPublicArea,
  type PcrlockPolicy,
  type PcrValue,
  type PersistentParent,
  type PolicySignature,
  parsePcrlockPolicy,
  parseSystemdToken,
  pcrlockFindings,
  pcrlockNvContents,
  policyAuthValue,
  readNvIndex,
  readPcrs,
  type SealedObject,
  type SealPolicy,
  seal,
  sealForImport,
  sealPolicyDigest,
  signedPcrPolicy,
  srkTemplate,
  startPolicy,
  storageTemplate,
  systemdPinAuth,
  TPM_RH,
  TpmError,
  type TpmTransport,
  tpm2EvictControl,
  tpm2NvDefineSpace,
  tpm2NvWrite,
  tpm2PcrExtend,
  tpm2PolicyAuthValue,
  unseal,
  withSession,
} from '@vouchsafe/tpm';
import { connected, EMPTY, errorCodeOf, liveTpm, PLAIN, random, withSrk } from './tpm.ts';

const SRK = 0x8100_0001;
const NV = 0x0180_1234;
const base64 = (...parts: Uint8Array[]): string => Buffer.from(concatBytes(...parts)).toString('base64');
const u32 = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
const tpm2b = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);

/** Puts a key at the handle where systemd has the SRK. */
async function persist(tpm: TpmTransport, template = srkTemplate('ecc')): Promise<PersistentParent> {
  const key = await createPrimary(tpm, { template });
  await execute(tpm, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle: key, persistentHandle: SRK });
  await flush(tpm, key);
  return { template: 'persistent', handle: SRK, area: key.area };
}

async function evict(tpm: TpmTransport, { handle, area }: PersistentParent): Promise<void> {
  const objectHandle = { handle, name: nameOf(area) };
  await execute(tpm, tpm2EvictControl, { auth: TPM_RH.owner, objectHandle, persistentHandle: handle });
}

/** Esys_TR_Serialize: handle, name, kind, area. */
const serializedKey = ({ handle, area }: PersistentParent): Uint8Array =>
  concatBytes(u32(handle), tpm2b(nameOf(area)), u32(1), tpm2b(area.bytes));

const blob = ({ private: wrapped, area, seed }: Pick<SealedObject, 'private' | 'area' | 'seed'>): string =>
  base64(tpm2b(wrapped), tpm2b(area.bytes), ...(seed === undefined ? [] : [tpm2b(seed)]));

const COMMON = {
  type: 'systemd-tpm2',
  keyslots: ['1'],
  'tpm2-pcrs': [],
  'tpm2-pcr-bank': 'sha256',
  'tpm2-pin': false,
  tpm2_pcrlock: false,
};
const token = (parent: PersistentParent, sealed: SealedObject, more: object = {}) => ({
  ...COMMON,
  'tpm2-blob': blob(sealed),
  'tpm2-policy-hash': toHex(sealed.area.value.authPolicy),
  tpm2_srk: base64(serializedKey(parent)),
  ...more,
});

const extend = (tpm: TpmTransport, pcr: number) =>
  execute(tpm, tpm2PcrExtend, {
    pcrHandle: pcr,
    digests: [{ hashAlg: 'sha256', digest: new Uint8Array(32).fill(pcr) }],
  });

/** The only shard of a token. */
function onlyShard(value: unknown): SealedObject {
  const { shards } = parseSystemdToken(value, 'token');
  assert.equal(shards.length, 1);
  return shards[0] as SealedObject;
}

const SECRET = ascii('an octet string of 32, at random');

test(
  '254: a key at a handle, as tpm2-tools serialize it; gone, it is made anew, and another is refused',
  needsTool('swtpm', 'tpm2_readpublic'),
  async (t) => {
    const { tpm, swtpm } = await liveTpm(t);
    const parent = await persist(tpm);
    const policy: SealPolicy = { hash: 'sha256', pcrs: [{ bank: 'sha256', pcrs: [7] }], withPin: false };
    const { values } = await readPcrs(tpm, policy.pcrs ?? []);
    const sealed = await seal(tpm, { secret: SECRET, parent, policy, values, random });
    const json = token(parent, sealed, { 'tpm2-pcrs': [7] });
    assert.deepEqual(onlyShard(json), sealed);
    assert.deepEqual(await unseal(tpm, { sealed: onlyShard(json), random }), SECRET);
    await tpm.close();
    await swtpm.tool('tpm2_readpublic', '-c', '0x81000001', '-t', 'srk.tr');
    assert.deepEqual(Uint8Array.from(readFileSync(join(swtpm.dir, 'srk.tr'))), serializedKey(parent));
    await connected(swtpm, async (again) => {
      await evict(again, parent);
      assert.deepEqual(await unseal(again, { sealed, random }), SECRET);
      await persist(again, storageTemplate('ecc'));
      assert.equal(await errorCodeOf(unseal(again, { sealed, random })), 'object_foreign');
    });
    const other = await liveTpm(t);
    assert.equal(await errorCodeOf(unseal(other.tpm, { sealed, random })), 'object_foreign');
  },
);

test('253: a PIN with a salt', needsTool('swtpm'), async (t) => {
  const { tpm } = await liveTpm(t);
  const parent = await persist(tpm);
  const salt = random(32);
  // By Node.js itself: what systemd does to the PIN, and then to the text that comes of it.
  const stretched = pbkdf2Sync('4321', salt, 10_000, 32, 'sha256').toString('base64');
  const auth = Uint8Array.from(createHash('sha256').update(stretched).digest());
  const policy: SealPolicy = { hash: 'sha256', withPin: true };
  const sealed = await seal(tpm, { secret: SECRET, parent, policy, values: [], auth, random });
  const parsed = parseSystemdToken(token(parent, sealed, { 'tpm2-pin': true, tpm2_salt: base64(salt) }), 'token');
  assert.deepEqual(parsed.pinSalt, salt);
  const open = (pin: string) =>
    unseal(tpm, { sealed: parsed.shards[0] as SealedObject, auth: systemdPinAuth(pin, parsed.pinSalt), random });
  assert.deepEqual(await open('4321'), SECRET);
  assert.equal(await errorCodeOf(open('4320')), 'auth_failed');
});

test('255: sealed without the TPM, under the public part of its storage root key', needsTool('swtpm'), async (t) => {
  const { tpm } = await liveTpm(t);
  const parent = await persist(tpm);
  const policy: SealPolicy = { hash: 'sha256', pcrs: [{ bank: 'sha256', pcrs: [7] }], withPin: false };
  const { values } = await readPcrs(tpm, policy.pcrs ?? []);
  const made = sealForImport(parent.area.value, { data: SECRET, authPolicy: sealPolicyDigest(policy, values) }, random);
  const sealed: SealedObject = {
    area: made.objectPublic,
    private: made.duplicate,
    seed: made.inSymSeed,
    parent,
    policy,
  };
  const read = onlyShard(token(parent, sealed, { 'tpm2-pcrs': [7] }));
  assert.deepEqual(read, sealed);
  assert.deepEqual(await unseal(tpm, { sealed: read, random }), SECRET);
  await extend(tpm, 7);
  assert.equal(await errorCodeOf(unseal(tpm, { sealed: read, random })), 'policy_failed');
});

/** systemd-pcrlock's index: written by whoever knows its authValue, read by the owner. systemd, tpm2_define_policy_nv_index. */
async function definedIndex(tpm: TpmTransport) {
  const auth = ascii('the recovery PIN');
  const attributes = nvAttributes('ordinary', 'writeAll', 'policyWrite', 'ownerRead');
  const { digest: authPolicy } = policyAuthValue(startPolicy('sha256'));
  const publicInfo = nvPublicArea({ nvIndex: NV, nameAlg: 'sha256', attributes, authPolicy, dataSize: 34 });
  await execute(tpm, tpm2NvDefineSpace, { authHandle: TPM_RH.owner, auth, publicInfo }, PLAIN);
  const write = async (policy: PcrlockPolicy): Promise<void> => {
    const index = await readNvIndex(tpm, NV, auth);
    await withSrk(tpm, (salt) =>
      withSession(tpm, { kind: 'policy', random, salt }, async (session) => {
        await execute(tpm, tpm2PolicyAuthValue, { policySession: session });
        const input = { authHandle: index, nvIndex: index, data: pcrlockNvContents(policy), offset: 0 };
        await execute(tpm, tpm2NvWrite, input, { sessions: [session] });
      }),
    );
  };
  const serialized = base64(
    u32(NV),
    tpm2b(concatBytes(Uint8Array.of(0, 11), new Uint8Array(32))),
    u32(2),
    tpm2b(publicInfo.bytes),
  );
  return { write, serialized };
}

/** /var/lib/systemd/pcrlock.json, as far as it is read here. */
const pcrlockFile = (
  serialized: string,
  values: readonly PcrValue[],
  more: ReadonlyMap<number, readonly Uint8Array[]>,
): string =>
  JSON.stringify({
    pcrBank: 'sha256',
    pcrValues: values.map(({ pcr, value }) => ({ pcr, values: [...(more.get(pcr) ?? []), value].map(toHex) })),
    nvIndex: NV,
    nvHandle: serialized,
    nvPublic: '',
  });

async function lockedTpm(t: TestContext) {
  const { tpm, swtpm } = await liveTpm(t);
  const parent = await persist(tpm);
  const index = await definedIndex(tpm);
  /** A policy for the PCRs as they are, where PCR 11 may have others too. */
  const policyNow = async (): Promise<PcrlockPolicy> => {
    const { values } = await readPcrs(tpm, [{ bank: 'sha256', pcrs: [4, 7, 11, 12] }]);
    const others = new Map([
      [11, [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), new Uint8Array(32).fill(1)]],
      [12, [new Uint8Array(32).fill(3)]],
    ]);
    return parsePcrlockPolicy(pcrlockFile(index.serialized, values, others), 'pcrlock.json');
  };
  return { tpm, swtpm, parent, index, policyNow };
}

test(
  '255: a pcrlock policy: what the NV index vouches for opens, and an older file does not',
  needsTool('swtpm'),
  async (t) => {
    const { tpm, parent, index, policyNow } = await lockedTpm(t);
    const first = await policyNow();
    await index.write(first);
    const policy: SealPolicy = { hash: 'sha256', pcrlock: first.index, withPin: false };
    const sealed = await seal(tpm, { secret: SECRET, parent, policy, values: [], random });
    const json = token(parent, sealed, { tpm2_pcrlock: true, tpm2_pcrlock_nv: index.serialized });
    const read = onlyShard(json);
    assert.deepEqual(read, sealed);
    assert.deepEqual(await unseal(tpm, { sealed: read, pcrlock: first, random }), SECRET);
    assert.equal(await errorCodeOf(unseal(tpm, { sealed: read, random })), 'argument_invalid');
    await extend(tpm, 7);
    assert.equal(await errorCodeOf(unseal(tpm, { sealed: read, pcrlock: first, random })), 'policy_failed');
    const { values } = await readPcrs(tpm, [{ bank: 'sha256', pcrs: [4, 7, 11, 12] }]);
    assert.deepEqual(
      pcrlockFindings(first, values).map(({ code, where }) => `${code} ${where.pcr}`),
      ['seal_pcr_changed 7'],
    );
    // systemd-pcrlock make-policy: the same index, another policy. The secret is not sealed anew.
    const second = await policyNow();
    const early = unseal(tpm, { sealed: read, pcrlock: second, random });
    assert.equal(await errorCodeOf(early), 'policy_failed', 'a file that the index does not vouch for');
    await index.write(second);
    assert.deepEqual(await unseal(tpm, { sealed: read, pcrlock: second, random }), SECRET);
  },
);

test('257: signed PCRs and a pcrlock policy: a part of the secret under each', needsTool('swtpm'), async (t) => {
  const { tpm, parent, index, policyNow } = await lockedTpm(t);
  const { privateKey, publicKey } = generateKeyPair('rsa-2048');
  const signedPcrs = { spki: publicKey.spki, pcrs: [{ bank: 'sha256', pcrs: [11] }] } as const;
  const pcrlock = await policyNow();
  await index.write(pcrlock);
  const policies: readonly SealPolicy[] = [
    { hash: 'sha256', signedPcrs, withPin: false },
    { hash: 'sha256', pcrlock: pcrlock.index, withPin: false },
  ];
  const parts = [SECRET.slice(0, 16), SECRET.slice(16)];
  const sealed: SealedObject[] = [];
  for (const [i, policy] of policies.entries()) {
    sealed.push(await seal(tpm, { secret: parts[i] as Uint8Array, parent, policy, values: [], random }));
  }
  const [first] = sealed;
  assert.ok(first);
  const both = {
    'tpm2-blob': sealed.map(blob),
    'tpm2-policy-hash': sealed.map(({ area }) => toHex(area.value.authPolicy)),
    tpm2_pubkey_pcrs: [11],
    tpm2_pubkey: base64(utf8(formatPem('PUBLIC KEY', publicKey.spki))),
    tpm2_pcrlock: true,
    tpm2_pcrlock_nv: index.serialized,
  };
  const { shards } = parseSystemdToken(token(parent, first, both), 'token');
  assert.deepEqual(shards, sealed);
  const { values } = await readPcrs(tpm, signedPcrs.pcrs);
  const policy = signedPcrPolicy(first.policy, values);
  assert.ok(policy);
  const sig = signMessage(privateKey, { kind: 'rsa-pkcs1', hash: 'sha256' }, policy);
  const signatures: PolicySignature[] = [
    { policy, signature: { sigAlg: 'rsassa', signature: { hash: 'sha256', sig } } },
  ];
  const opened: Uint8Array[] = [];
  for (const shard of shards) opened.push(await unseal(tpm, { sealed: shard, signatures, pcrlock, random }));
  assert.deepEqual(concatBytes(...opened), SECRET);
  assert.throws(() => parseSystemdToken(token(parent, first, { ...both, 'tpm2-blob': blob(first) }), 'token'), {
    code: 'sealed_malformed',
  });
});

test(
  'a TPM without TPM2_PolicyAuthorizeNV is named, and so is an index that is gone',
  needsTool('swtpm'),
  async (t) => {
    const { tpm, parent, index, policyNow } = await lockedTpm(t);
    const pcrlock = await policyNow();
    await index.write(pcrlock);
    const policy: SealPolicy = { hash: 'sha256', pcrlock: pcrlock.index, withPin: false };
    const sealed = await seal(tpm, { secret: SECRET, parent, policy, values: [], random });
    const commandOf = (command: Uint8Array): number => new DataView(command.buffer, command.byteOffset).getUint32(6);
    /** A TPM of before revision 1.38, which had neither. TPM_RC_COMMAND_CODE, Part 2, section 6.6.3. */
    const older: TpmTransport = {
      send: async (command) =>
        commandOf(command) === 0x192 ? concatBytes(Uint8Array.of(0x80, 0x01), u32(10), u32(0x143)) : tpm.send(command),
    };
    assert.equal(await errorCodeOf(unseal(older, { sealed, pcrlock, random })), 'policy_unsupported');
    const elsewhere = { ...pcrlock.index, handle: NV + 1 };
    const gone = unseal(tpm, { sealed, pcrlock: { ...pcrlock, index: elsewhere }, random });
    assert.equal(await errorCodeOf(gone), 'object_foreign');
    assert.throws(() => sealPolicyDigest({ ...policy, signedPcrs: { spki: EMPTY, pcrs: [] } }, []), TpmError);
  },
);
