// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { encryptRsaOaep, importPublicKey } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { type CertifiedKeyUse, checkCertifiedKey, type KeyEvidence, verifyKey } from '@vouchsafe/identity';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  attestationKeyTemplate,
  changedArea,
  clientKeyTemplate,
  createObject,
  createPrimary,
  decryptionKeyTemplate,
  execute,
  importSigningKey,
  type LoadedObject,
  loadObject,
  objectAttributes,
  type PublicArea,
  srkTemplate,
  type TpmaObject,
  type TpmTransport,
  tpm2Certify,
  tpm2RsaDecrypt,
  tpmtSignature,
  withFlushed,
} from '@vouchsafe/tpm';
import { openSwtpm } from '@vouchsafe/tpm/node';

const CLIENT = clientKeyTemplate('P-256');
const DECRYPTION = decryptionKeyTemplate();

const places = (area: PublicArea, use: CertifiedKeyUse): string[] =>
  checkCertifiedKey(area.value, use).map(({ code, where }) => `${code} ${where.path?.split('.').at(-1)}`);

/** The area with those attributes turned over. */
function turned(area: PublicArea, ...names: (keyof TpmaObject)[]): PublicArea {
  const is = area.value.objectAttributes;
  const set = (Object.keys(is) as (keyof TpmaObject)[]).filter((name) => is[name] !== names.includes(name));
  return changedArea(area, { objectAttributes: objectAttributes(...set) });
}

test('A28: each attribute that keeps a key in its TPM is needed, and each other use is refused', () => {
  for (const [area, use] of [
    [CLIENT, 'client'],
    [clientKeyTemplate('rsa-2048'), 'client'],
    [DECRYPTION, 'decryption'],
  ] as const) {
    assert.deepEqual(places(area, use), []);
    for (const name of ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'restricted'] as const) {
      assert.deepEqual(places(turned(area, name), use), [`key_attribute ${name}`]);
    }
    for (const name of ['signEncrypt', 'decrypt', 'x509sign'] as const) {
      assert.deepEqual(places(turned(area, name), use), [`key_attribute ${name}`]);
    }
    const withPolicy = changedArea(turned(area, 'userWithAuth'), { authPolicy: new Uint8Array(32) });
    assert.deepEqual(places(withPolicy, use), []);
    assert.deepEqual(places(changedArea(area, { nameAlg: 'sha1' }), use), ['key_weak nameAlg']);
  }
});

test('algorithms that a use does not have', () => {
  const rsa = DECRYPTION.value.type === 'rsa' ? DECRYPTION.value.parameters : assert.fail();
  const small = changedArea<'rsa'>(DECRYPTION, { parameters: { ...rsa, keyBits: 1024 } });
  assert.deepEqual(places(small, 'decryption'), ['key_weak keyBits']);
  const scheme = (scheme: typeof rsa.scheme) => changedArea<'rsa'>(DECRYPTION, { parameters: { ...rsa, scheme } });
  assert.deepEqual(places(scheme({ scheme: 'null', details: {} }), 'decryption'), []);
  assert.deepEqual(places(scheme({ scheme: 'rsaes', details: {} }), 'decryption'), ['key_scheme scheme']);
  assert.deepEqual(places(scheme({ scheme: 'oaep', details: { hashAlg: 'sha384' } }), 'decryption'), [
    'key_scheme hashAlg',
  ]);
  assert.deepEqual(places(scheme({ scheme: 'oaep', details: { hashAlg: 'sha1' } }), 'decryption'), [
    'key_weak hashAlg',
  ]);
  assert.ok(places(CLIENT, 'decryption').includes('key_algorithm type'));
  const ecc = CLIENT.value.type === 'ecc' ? CLIENT.value.parameters : assert.fail();
  const weak = changedArea<'ecc'>(CLIENT, { parameters: { ...ecc, curveID: 'nistP224' } });
  assert.deepEqual(places(weak, 'client'), ['key_algorithm curveID']);
});

test('keys of real TPMs', needsTool('swtpm'), async (t) => {
  const nonce = randomBytes(32);
  /** With its storage root key loaded: a TPM has room for three objects. */
  const open = async (): Promise<{ readonly tpm: TpmTransport; readonly srk: LoadedObject }> => {
    const swtpm = await startSwtpm(t, tempDir(t));
    const tpm = await openSwtpm({ path: swtpm.path });
    t.after(() => tpm.close());
    return { tpm, srk: await createPrimary(tpm, { template: srkTemplate('ecc') }) };
  };
  type Machine = Awaited<ReturnType<typeof open>>;
  const [a, b] = [await open(), await open()];

  const withKey = async <T>({ tpm, srk }: Machine, template: PublicArea, use: (key: LoadedObject) => Promise<T>) => {
    const key = await loadObject(tpm, srk, await createObject(tpm, srk, { template }));
    return withFlushed(tpm, key, () => use(key));
  };
  const certify = (machine: Machine, ak: LoadedObject, template: PublicArea): Promise<KeyEvidence> =>
    withKey(machine, template, (key) => certifyLoaded(machine.tpm, ak, key, nonce));
  const withAk = <T>(machine: Machine, use: (ak: LoadedObject) => Promise<T>) =>
    withKey(machine, attestationKeyTemplate('ecdsa-p256'), use);

  await withAk(a, async (ak) => {
    const expected = { attestationKey: importSigningKey(ak.area.value), nonce };
    const codes = (evidence: KeyEvidence, use: CertifiedKeyUse, change = {}): string[] =>
      verifyKey(evidence, use, { ...expected, ...change }).findings.map(({ code }) => code);
    const client = await certify(a, ak, CLIENT);

    await t.test('those made for their use are accepted', async () => {
      assert.ok(verifyKey(client, 'client', expected).key);
      assert.ok(verifyKey(await certify(a, ak, clientKeyTemplate('rsa-2048')), 'client', expected).key);
      assert.ok(verifyKey(await certify(a, ak, DECRYPTION), 'decryption', expected).key);
    });

    await t.test('A28: one that could leave its TPM is refused by its attributes', async () => {
      const movable = await certify(a, ak, turned(CLIENT, 'fixedTPM', 'fixedParent'));
      assert.deepEqual(codes(movable, 'client'), ['key_attribute', 'key_attribute']);
      // Shown with the attributes that are asked for, it has another name.
      assert.deepEqual(codes({ ...movable, publicArea: client.publicArea }, 'client'), ['key_uncertified']);
    });

    await t.test('A46: one of another TPM, or certified for another challenge, is refused', async () => {
      const foreign = await withAk(b, (other) => certify(b, other, CLIENT));
      assert.deepEqual(codes(foreign, 'client'), ['key_uncertified']);
      assert.deepEqual(codes(client, 'client', { nonce: randomBytes(32) }), ['key_uncertified']);
    });

    await t.test('what is encrypted to the decryption key is opened by its TPM', async () => {
      await withKey(a, DECRYPTION, async (key) => {
        const { key: verified } = verifyKey(await certifyLoaded(a.tpm, ak, key, nonce), 'decryption', expected);
        assert.ok(verified);
        const label = ascii('vouchsafe-secret\0');
        const wrapped = encryptRsaOaep(importPublicKey(verified.spki), ascii('key'), {
          hash: 'sha256',
          label,
          seed: randomBytes(32),
        });
        const inScheme = { scheme: 'null', details: {} } as const;
        const { message } = await execute(
          a.tpm,
          tpm2RsaDecrypt,
          { keyHandle: key, cipherText: wrapped, inScheme, label },
          { allowPlaintext: true },
        );
        assert.deepEqual(message, ascii('key'));
      });
    });
  });
});

async function certifyLoaded(
  tpm: TpmTransport,
  ak: LoadedObject,
  key: LoadedObject,
  nonce: Uint8Array,
): Promise<KeyEvidence> {
  const inScheme = { scheme: 'null', details: {} } as const;
  const input = { objectHandle: key, signHandle: ak, qualifyingData: nonce, inScheme };
  const { certifyInfo, signature } = await execute(tpm, tpm2Certify, input);
  return { publicArea: key.area.bytes, attest: certifyInfo.slice(), signature: encode(tpmtSignature, signature) };
}
