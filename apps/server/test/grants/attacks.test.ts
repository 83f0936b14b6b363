// SPDX-License-Identifier: Apache-2.0
// Attacks on what is granted, by their numbers: whoever is between the machine and the service, and boots that are not good.
import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { test } from 'node:test';
import type { Verdict } from '@vouchsafe/appraise';
import { decodeCertificate, formatCertificate } from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { clientKeyTemplate, decryptionKeyTemplate } from '@vouchsafe/tpm';
import { createClient } from '../support/client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { attestWith, enrolTestDevice, firstKeys, verdictOf } from './device.ts';

const GOOD = verdictOf('affirming');

const putSecret = ({ client, adminToken: token }: TestServer, policy: string) =>
  client.call('PUT', '/v1/secrets/disk', { token, body: { value: encodeBase64url(Buffer.from('key')), policy } });

test('A47: who forwards the messages between machine and service has nothing that it can use', async (t) => {
  const server = await startTestServer(t);
  const { service } = server;
  await putSecret(server, 'permit(principal, action == Action::"release", resource);');
  const machine = await enrolTestDevice(service, 'edge-1');
  const relay = await enrolTestDevice(service, 'relay');
  const nonce = new Uint8Array(20);
  const own = {
    client: relay.certify(clientKeyTemplate('P-256'), nonce),
    decryption: relay.certify(decryptionKeyTemplate(), nonce),
  };
  // It puts its own keys, well certified by its own TPM, into the machine's good evidence.
  for (const keys of [{ client: own.client }, { decryption: own.decryption }]) {
    await assert.rejects(attestWith(service, machine, GOOD, { keys, secrets: ['disk'] }), { code: 'key_refused' });
  }
  // It forwards all as it is, and reads the answer.
  const { keys } = firstKeys(machine);
  const { certificate, secrets = [] } = await attestWith(service, machine, GOOD, { keys, secrets: ['disk'] });
  const leaf = decodeCertificate(parseBase64url(certificate?.chain[0] ?? ''));
  const client = createClient(server.url, {
    ca: server.caCertificate,
    cert: formatCertificate(leaf),
    key: own.client.privateKeyPem,
  });
  t.after(() => client.close());
  await assert.rejects(client.call('GET', '/v1/health'), { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
  const [secret] = secrets;
  assert.ok(secret?.state === 'granted');
  const box = parseBase64url(secret.box);
  const guess = createDecipheriv('aes-256-gcm', parseBase64url(secret.wrappedKey).subarray(0, 32), box.subarray(0, 12));
  guess.setAAD(Buffer.from('edge-1\0disk')).setAuthTag(box.subarray(-16)).update(box.subarray(12, -16));
  assert.throws(() => guess.final());
  // The relay's own verdict, whatever it is, gives it nothing of the machine's.
  await putSecret(server, 'permit(principal == Machine::"edge-1", action == Action::"release", resource);');
  const mine = await attestWith(service, relay, GOOD, { keys: own, secrets: ['disk'] });
  assert.deepEqual(
    mine.secrets?.map((one) => one.state === 'refused' && one.code),
    ['not_granted'],
  );
});

/** A verdict whose facts differ from a good one's in one place. */
const withFacts = (facts: object, verdict = GOOD): Verdict => ({ ...verdict, facts }) as unknown as Verdict;

test('A48 to A52: a boot that is not the expected one gets no secret: by its verdict, and by the secret’s policy', async (t) => {
  const server = await startTestServer(t);
  const { service } = server;
  const policy = `permit(principal, action == Action::"release", resource) when {
    context.system.isPinned && context.image.uncovered.isEmpty() && context.image.isAboveFloor && context.image.phase == "ready"
  };`;
  assert.equal((await putSecret(server, policy)).status, 200);
  const device = await enrolTestDevice(service, 'edge-1');
  await attestWith(service, device, GOOD, { keys: firstKeys(device).keys });
  const good = {
    system: { isMeasured: true, isPinned: true },
    image: { uncovered: [], isAboveFloor: true, phase: 'ready' },
  };
  const ask = async (verdict: Verdict): Promise<string | undefined> => {
    const { secrets = [] } = await attestWith(service, device, verdict, { secrets: ['disk'] });
    return secrets[0]?.state === 'refused' ? secrets[0].code : secrets[0]?.state;
  };
  assert.equal(await ask(withFacts(good)), 'granted');
  const cases = {
    'A48, A49: another root or volume: PCR 15 is not the one that was vouched for': {
      system: { isMeasured: true, isPinned: false },
    },
    'A50: an addon, a command line or a credential that no manifest covers': {
      image: { ...good.image, uncovered: [12] },
    },
    'A51: another phase of the boot than the secret is for': { image: { ...good.image, phase: 'enter-initrd' } },
    'A52: an image below the floor, well signed': { image: { ...good.image, isAboveFloor: false } },
  };
  for (const [name, change] of Object.entries(cases)) {
    // Even where the policy of trust lets it pass.
    assert.equal(await ask(withFacts({ ...good, ...change })), 'not_granted', name);
    assert.equal(await ask(withFacts(good, verdictOf('contraindicated'))), 'not_granted', name);
  }
  // A fact that is missing is no yes.
  assert.equal(await ask(withFacts({ image: good.image })), 'not_granted');
  assert.equal(await ask(withFacts(good)), 'granted');
});
