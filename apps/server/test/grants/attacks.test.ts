// SPDX-License-Identifier: Apache-2.0
// Attacks on what is granted, by their numbers: whoever is between the machine and the service, and boots that are not good.
import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { decodeCertificate, formatCertificate } from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { clientKeyTemplate, decryptionKeyTemplate } from '@vouchsafe/tpm';
import { createClient } from '../support/client.ts';
import { openWorkshop } from '../support/machine.ts';
import { event, type MadeBoot, type MadeEvent, phases } from '../support/made-boot.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { codesOf } from '../support/trusted.ts';
import { attestAsking } from '../support/wishes.ts';
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

const INITRD = ['enter-initrd', 'leave-initrd'] as const;
const PHASES = [...INITRD, 'sysinit', 'ready'] as const;
/** What the initrd measures into PCR 15: whose volumes these are. */
const volumes = (of: string) => [
  event(15, 'EV_IPL', `volume key of ${of}`),
  event(15, 'EV_IPL', `machine id of ${of}`),
];
const READY: MadeBoot = { unlogged: [...phases(...PHASES), ...volumes('alice')] };

/** A machine that is trusted and has been given its secret; what else it boots is up to the test. */
async function trustedScene(t: TestContext) {
  const server = await startTestServer(t);
  const workshop = await openWorkshop(server);
  await workshop.addImage('1.4.0', {}, 'active', PHASES);
  const machine = await workshop.enrolledMachine('alice');
  machine.boot(READY);
  assert.equal((await machine.attest()).body.verdict.isTrusted, false);
  const learned = await workshop.call('POST', '/v1/baselines', { deviceId: 'alice' });
  await workshop.call('POST', `/v1/baselines/${learned.body.sha256}/approve`);
  const unpinned = await machine.attest();
  assert.ok(codesOf(unpinned.body.verdict).includes('system_unknown'));
  assert.equal((await workshop.call('POST', '/v1/devices/alice/pin')).status, 204);
  const policy =
    'permit(principal, action == Action::"release", resource) when { context.image.phase like "*:ready" };';
  await putSecret(server, policy);
  const good = await attestAsking(machine, 'disk');
  assert.equal(good.body.verdict.status, 'affirming', JSON.stringify(good.body.verdict));
  assert.equal(good.body.secrets[0].state, 'granted');
  assert.notEqual(good.body.certificate, undefined);
  const after = async (boot: MadeBoot) => {
    machine.boot(boot);
    const { body } = await attestAsking(machine, 'disk');
    assert.equal(body.certificate, undefined, 'no certificate');
    assert.equal(body.secrets[0].code, 'not_granted');
    const [first] = (await workshop.call('GET', '/v1/devices/alice/certificates')).body.items;
    assert.notEqual(first.revokedAtMs, undefined, 'the certificate that it had is revoked');
    return body.verdict;
  };
  return { server, workshop, machine, after };
}

test('A48, A49: behind an honest boot another root, or another volume: no certificate, no secret, and what was granted ends', async (t) => {
  const { machine, after } = await trustedScene(t);
  const initrd = phases(...PHASES);
  const cases: Readonly<Record<string, MadeEvent[]>> = {
    'A48: a root of somebody’s own': volumes('mallory'),
    'A49: the machine id is right, the volume is another': [
      event(15, 'EV_IPL', 'volume key of mallory'),
      ...volumes('alice').slice(1),
    ],
    'A49: no volume is opened at all': [],
    'A49: the volume is measured and then another': [...volumes('alice'), ...volumes('mallory')],
  };
  for (const [name, system] of Object.entries(cases)) {
    const verdict = await after({ unlogged: [...initrd, ...system] });
    assert.ok(codesOf(verdict).includes('system_changed'), name);
    assert.equal(verdict.isTrusted, false, name);
    machine.boot(READY);
    assert.equal((await attestAsking(machine, 'disk')).body.secrets[0].state, 'granted', name);
  }
});

test('A50: an addon, a command line, a credential or an extension beside the image: no certificate, no secret', async (t) => {
  const { machine, after } = await trustedScene(t);
  const cases: Readonly<Record<string, readonly [MadeEvent, string]>> = {
    'an addon with a command line': [event(12, 'EV_IPL', 'init=/bin/sh'), 'event_unexpected'],
    'a credential': [event(12, 'EV_IPL', 'vouchsafe.cred'), 'event_unexpected'],
    'a system extension': [event(13, 'EV_IPL', 'debug.sysext.raw'), 'event_unexpected'],
    'a command line of SMBIOS': [
      event(1, 'EV_IPL', 'io.systemd.stub.kernel-cmdline-extra=init=/bin/sh'),
      'firmware_changed',
    ],
  };
  for (const [name, [added, code]] of Object.entries(cases)) {
    const verdict = await after({ ...READY, more: [added] });
    assert.ok(codesOf(verdict).includes(code), `${name}: ${codesOf(verdict)}`);
    const finding = verdict.findings.find((one: { code: string }) => one.code === code);
    assert.equal(finding.where.pcr, added.pcr, name);
    machine.boot(READY);
    assert.equal((await attestAsking(machine, 'disk')).body.secrets[0].state, 'granted', name);
  }
});

test('A51: a boot that stands at another phase than the secret is for gets none; one that goes through others is refused', async (t) => {
  const { machine, after } = await trustedScene(t);
  const at = (...words: readonly string[]): MadeBoot => ({ unlogged: [...phases(...words), ...volumes('alice')] });
  // The image as it is, and still in its initrd, where somebody may have stopped it.
  for (const words of [[], INITRD.slice(0, 1), INITRD, PHASES.slice(0, 3)]) {
    machine.boot(at(...words));
    const { verdict, secrets } = (await attestAsking(machine, 'disk')).body;
    assert.equal(verdict.status, 'affirming', JSON.stringify(verdict.findings));
    assert.equal(secrets[0].code, 'not_granted', words.join(':'));
  }
  for (const words of [
    ['leave-initrd'],
    ['enter-initrd', 'ready'],
    [...PHASES, 'ready'],
    ['enter-initrd', 'leave-initrd', 'mine'],
  ]) {
    const verdict = await after(at(...words));
    assert.equal(verdict.isTrusted, false, words.join(':'));
    machine.boot(READY);
    assert.equal((await attestAsking(machine, 'disk')).body.secrets[0].state, 'granted');
  }
});

test('A52: an older image, well signed and active, below the floor: no certificate, no secret', async (t) => {
  const { workshop, machine, after } = await trustedScene(t);
  await workshop.addImage('1.3.0', { kernel: 'the UKI of last year' }, 'active', PHASES);
  machine.boot({ ...READY, kernel: 'the UKI of last year' });
  assert.equal((await attestAsking(machine, 'disk')).body.secrets[0].state, 'granted', 'until there is a floor');
  assert.equal((await workshop.call('PUT', '/v1/version-floors/edge', { version: '1.4.0' })).status, 204);
  const verdict = await after({ ...READY, kernel: 'the UKI of last year' });
  assert.ok(codesOf(verdict).includes('image_below_floor'));
  machine.boot(READY);
  assert.equal((await attestAsking(machine, 'disk')).body.secrets[0].state, 'granted');
});
