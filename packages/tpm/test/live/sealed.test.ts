// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ascii, utf8 } from '@vouchsafe/base';
import { generateKeyPair, signMessage } from '@vouchsafe/crypto/signing';
import { needsTool } from '@vouchsafe/testing';
import {
  changedPcrs,
  decryptClevisJwe,
  encodeClevisJwe,
  execute,
  formatSealedFile,
  newClevisKey,
  type PolicySignature,
  parseClevisJwe,
  parseSealedFile,
  parseSystemdToken,
  readPcrs,
  type SealedObject,
  type SealPolicy,
  SRK_PARENT,
  seal,
  signedPcrPolicy,
  systemdPinAuth,
  systemdSlotPassphrase,
  systemdTokenOf,
  TPM_RH,
  type TpmTransport,
  tpm2DictionaryAttackLockReset,
  tpm2PcrExtend,
  unseal,
} from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';
import { errorCodeOf, liveTpm, random } from './tpm.ts';

const SECRET = ascii('the key of the disk');
const PCRS = [{ bank: 'sha256', pcrs: [7, 11] }] as const;
const OPEN: SealPolicy = { hash: 'sha256', withPin: false };

const extend = (tpm: TpmTransport, pcr: number) =>
  execute(tpm, tpm2PcrExtend, {
    pcrHandle: pcr,
    digests: [{ hashAlg: 'sha256', digest: new Uint8Array(32).fill(pcr) }],
  });

test('sealed to PCRs, to signed PCRs, with a PIN, and with all of it', needsTool('swtpm'), async (t) => {
  const { tpm } = await liveTpm(t);
  const { privateKey, publicKey } = generateKeyPair('rsa-2048');
  const signedPcrs = { spki: publicKey.spki, pcrs: [{ bank: 'sha256', pcrs: [11] }] } as const;
  const scheme = { kind: 'rsa-pkcs1', hash: 'sha256' } as const;
  const auth = utf8('1234');
  /** Who holds the key signs the PCRs as they are. */
  const signNow = async (policy: SealPolicy): Promise<PolicySignature> => {
    const { values } = await readPcrs(tpm, signedPcrs.pcrs);
    const digest = signedPcrPolicy(policy, values);
    assert.ok(digest);
    const sig = signMessage(privateKey, scheme, digest);
    return { policy: digest, signature: { sigAlg: 'rsassa', signature: { hash: 'sha256', sig } } };
  };
  const policies: readonly SealPolicy[] = [
    OPEN,
    { ...OPEN, pcrs: PCRS },
    { ...OPEN, withPin: true },
    { ...OPEN, signedPcrs },
    { ...OPEN, signedPcrs, pcrs: [{ bank: 'sha256', pcrs: [7] }], withPin: true },
  ];
  const made: SealedObject[] = [];
  for (const policy of policies) {
    for (const parent of [SRK_PARENT, { template: 'plain', key: 'ecc', hash: 'sha256' }] as const) {
      const { values } = await readPcrs(tpm, policy.pcrs ?? []);
      const pin = policy.withPin ? { auth } : {};
      const sealed = await seal(tpm, { secret: SECRET, parent, policy, values, ...pin, random });
      made.push(sealed);
      const file = parseSealedFile(formatSealedFile({ sealed, sealedTo: values }), 'file');
      assert.deepEqual(file, { sealed, sealedTo: values });
      const signatures = policy.signedPcrs === undefined ? [] : [await signNow(policy)];
      assert.deepEqual(await unseal(tpm, { sealed: file.sealed, signatures, ...pin, random }), SECRET);
      if (policy.withPin) {
        const wrong = unseal(tpm, { sealed, signatures, auth: utf8('1235'), random });
        assert.equal(await errorCodeOf(wrong), 'auth_failed');
        await execute(tpm, tpm2DictionaryAttackLockReset, { lockHandle: TPM_RH.lockout });
      }
      if (policy.signedPcrs !== undefined) {
        assert.equal(await errorCodeOf(unseal(tpm, { sealed, ...pin, random })), 'policy_unsigned');
      }
    }
  }
  // PCR 11 moves on, as in an update: a new signature opens what is sealed to the key, and nothing the rest.
  const before = await readPcrs(tpm, PCRS);
  await extend(tpm, 11);
  const after = await readPcrs(tpm, PCRS);
  assert.deepEqual(
    changedPcrs(before.values, after.values).map(({ code, where }) => `${code} ${where.pcr}`),
    ['seal_pcr_changed 11'],
  );
  for (const sealed of made) {
    const { policy } = sealed;
    const pin = policy.withPin ? { auth } : {};
    const signatures = policy.signedPcrs === undefined ? [] : [await signNow(policy)];
    const run = unseal(tpm, { sealed, signatures, ...pin, random });
    const sees11 = policy.pcrs?.some(({ pcrs }) => pcrs.includes(11)) ?? false;
    if (sees11) assert.equal(await errorCodeOf(run), 'policy_failed');
    else assert.deepEqual(await run, SECRET);
  }
  // A signature by another key, for the right values, is none.
  const stranger = generateKeyPair('rsa-2048').privateKey;
  const [signedOnly] = made.filter(({ policy }) => policy.signedPcrs !== undefined);
  assert.ok(signedOnly);
  const { policy } = await signNow(signedOnly.policy);
  const sig = signMessage(stranger, scheme, policy);
  const forged: PolicySignature = { policy, signature: { sigAlg: 'rsassa', signature: { hash: 'sha256', sig } } };
  const refused = unseal(tpm, { sealed: signedOnly, signatures: [forged], random });
  assert.equal(await errorCodeOf(refused), 'response_code');
});

test('another TPM does not open it', needsTool('swtpm'), async (t) => {
  const one = await liveTpm(t);
  const other = await liveTpm(t);
  const input = { secret: SECRET, parent: SRK_PARENT, policy: OPEN, values: [], random };
  const sealed = await seal(one.tpm, input);
  assert.equal(await errorCodeOf(unseal(other.tpm, { sealed, random })), 'object_foreign');
  assert.equal(await errorCodeOf(seal(one.tpm, { ...input, secret: new Uint8Array() })), 'argument_invalid');
  assert.equal(await errorCodeOf(seal(one.tpm, { ...input, secret: new Uint8Array(129) })), 'argument_invalid');
  assert.equal(await errorCodeOf(seal(one.tpm, { ...input, auth: utf8('1') })), 'argument_invalid');
});

const run = promisify(execFile);

test('Clevis opens what we seal, and we what Clevis seals', needsTool('swtpm', 'clevis'), async (t) => {
  const { tpm, swtpm } = await liveTpm(t);
  await tpm.close();
  const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${swtpm.path}`, TMPDIR: swtpm.dir };
  const clevis = async (args: string[], stdin: string): Promise<string> => {
    const child = run('clevis', args, { env, cwd: swtpm.dir });
    child.child.stdin?.end(stdin);
    return (await child).stdout;
  };
  /** swtpm serves one connection at a time. */
  const connected = async <T>(use: (transport: TpmTransport) => Promise<T>): Promise<T> => {
    const transport = await openSwtpm({ path: swtpm.path });
    try {
      return await use(transport);
    } finally {
      await transport.close();
    }
  };
  const text = 'a pass phrase of some volume';
  for (const config of [
    {},
    { pcr_bank: 'sha256', pcr_ids: '7,11' },
    { key: 'rsa', pcr_bank: 'sha1', pcr_ids: ['0', '23'] },
    // tpm2_unseal 5.4 starts its session with SHA-256, so that Clevis does not open what it sealed so; we do.
    { hash: 'sha1', pcr_bank: 'sha1', pcr_ids: '0' },
  ]) {
    // What the tools leave behind would fill the TPM.
    await swtpm.tool('tpm2_flushcontext', '-l');
    const jwe = parseClevisJwe(await clevis(['encrypt', 'tpm2', JSON.stringify(config)], text), 'jwe');
    const jwk = await connected((transport) => unseal(transport, { sealed: jwe.sealed, random }));
    assert.equal(Buffer.from(decryptClevisJwe(jwe, jwk, 'jwe')).toString(), text, JSON.stringify(config));
    const { key, jwk: ours } = newClevisKey(random);
    const { parent, policy } = jwe.sealed;
    assert.ok(parent.template === 'plain');
    const sealed = await connected(async (transport) => {
      const { values } = await readPcrs(transport, policy.pcrs ?? []);
      return seal(transport, { secret: ours, parent, policy, values, random });
    });
    const written = encodeClevisJwe(sealed, key, utf8(text), random);
    if (parent.hash === 'sha256') assert.equal(await clevis(['decrypt'], written), text, JSON.stringify(config));
    const changed = written.replace(/\.(.)([^.]*\.[^.]*)$/, (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`);
    const parsed = parseClevisJwe(changed, 'jwe');
    assert.throws(() => decryptClevisJwe(parsed, ours, 'jwe'), { code: 'sealed_malformed' });
  }
});

test(
  'systemd-cryptenroll and we open each other’s tokens',
  needsTool('swtpm', 'systemd-cryptenroll', 'cryptsetup'),
  async (t) => {
    const { tpm, swtpm } = await liveTpm(t);
    await tpm.close();
    const volume = join(swtpm.dir, 'volume');
    mkdirSync(join(swtpm.dir, 'empty'));
    writeFileSync(volume, '');
    truncateSync(volume, 32 * 1024 * 1024);
    const password = join(swtpm.dir, 'password');
    writeFileSync(password, 'passphrase');
    const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    await run('cryptsetup', ['luksFormat', '-q', '--type', 'luks2', ...quick, volume, password]);
    const env = { ...process.env, PASSWORD: 'passphrase', NEWPIN: '4321' };
    const enroll = ['--tpm2-device', `swtpm:path=${swtpm.path}`, '--tpm2-pcrs', '7+11', '--tpm2-with-pin=yes'];
    await run('systemd-cryptenroll', [...enroll, volume], { env });
    const { stdout } = await run('cryptsetup', ['token', 'export', '--token-id', '0', volume]);
    const json: unknown = JSON.parse(stdout);
    const token = parseSystemdToken(json, 'token');
    assert.deepEqual(token.keyslots, ['1']);
    const again = await openSwtpm({ path: swtpm.path });
    t.after(() => again.close());
    const auth = systemdPinAuth('4321');
    const [sealed] = token.shards;
    assert.ok(sealed);
    const secret = await unseal(again, { sealed, auth, random });
    const key = join(swtpm.dir, 'key');
    writeFileSync(key, systemdSlotPassphrase(secret));
    await run('cryptsetup', ['open', '--test-passphrase', '--key-slot', '1', '--key-file', key, volume]);
    // The token that we would have written is the same, and so is the policy that the object carries.
    assert.deepEqual(systemdTokenOf(token), json);
    assert.ok(readFileSync(volume).length > 0);
  },
);
