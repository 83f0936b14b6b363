// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { issueCertificate, OID } from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { attestationKeyTemplate, type PublicArea, publicArea, type TpmtPublic } from '@vouchsafe/tpm';
import { DATABASES } from './support/databases.ts';
import { type Machine, openWorkshop } from './support/machine.ts';
import { startTestServer } from './support/server.ts';
import { newTpmMaker, SimulatedTpm } from './support/simulated-tpm.ts';

const sha256OfSpki = async (machine: Machine): Promise<string> => {
  const { spkiOf } = await import('@vouchsafe/tpm');
  const { sha256 } = await import('./support/made-boot.ts');
  return Buffer.from(sha256(spkiOf(machine.tpm.ekPublic.value))).toString('hex');
};

for (const database of DATABASES) {
  describe(`enrolment on ${database.name}`, database.requirement, () => {
    const start = async (t: Parameters<typeof startTestServer>[0], joining = {}) => {
      const databaseUrl = await database.open();
      const server = await startTestServer(t, { joining, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
      return { server, workshop: await openWorkshop(server) };
    };

    test('a token lets one machine in, once', async (t) => {
      const { workshop } = await start(t);
      const token = await workshop.joinToken();
      const [one, other] = [await workshop.newMachine(), await workshop.newMachine()];
      const answers = await Promise.all([one.enrol({ kind: 'token', token }), other.enrol({ kind: 'token', token })]);
      assert.deepEqual(answers.map(({ body }) => body.state ?? body.code).sort(), ['enrolled', 'joining_refused']);
      const late = await (await workshop.newMachine()).enrol({ kind: 'token', token });
      assert.equal(late.body.code, 'joining_refused');
    });

    test('a machine that lost its answer gets it again', async (t) => {
      const { workshop } = await start(t);
      const machine = await workshop.enrolledMachine('alice');
      const again = await machine.enrol({ kind: 'token', token: 'whatever-it-had-left' });
      assert.equal(again.body.state, 'enrolled');
      assert.equal(again.body.deviceId, 'alice');
    });

    test('inventory: a registered EK comes in under its registered name, another does not', async (t) => {
      const { workshop } = await start(t);
      const [known, stranger] = [await workshop.newMachine(), await workshop.newMachine()];
      const sha256 = await sha256OfSpki(known);
      await workshop.call('POST', '/v1/inventory', { deviceId: 'rack-7', kind: 'ek-key', sha256 });
      assert.equal((await known.enrol({ kind: 'inventory' }, 'a-wish')).body.deviceId, 'rack-7');
      assert.equal((await stranger.enrol({ kind: 'inventory' })).body.code, 'joining_refused');
    });

    test('approval: waits for an operator, and is off unless switched on', async (t) => {
      const { workshop } = await start(t, { approval: true });
      const machine = await workshop.newMachine();
      const begun = await machine.client.call('POST', '/v1/enrolments', {
        body: machine.enrolmentRequest({ kind: 'approval' }, 'newcomer'),
      });
      assert.equal((await machine.prove(begun)).body.state, 'awaiting-approval');
      const waiting = await workshop.call('GET', '/v1/enrolments');
      assert.deepEqual(
        waiting.body.items.map((item: { deviceId: string }) => item.deviceId),
        ['newcomer'],
      );
      await workshop.call('POST', '/v1/devices/newcomer/approve');
      assert.equal((await machine.prove(begun)).body.state, 'enrolled');
      const strict = await start(t);
      const refused = await (await strict.workshop.newMachine()).enrol({ kind: 'approval' });
      assert.equal(refused.body.code, 'joining_refused');
    });

    test('A31: under an id that waits for approval nobody comes in the place of the one who was seen', async (t) => {
      const { workshop } = await start(t, { approval: true });
      const [alice, mallory] = [await workshop.newMachine(), await workshop.newMachine()];
      const begin = (machine: typeof alice) =>
        machine.client.call('POST', '/v1/enrolments', {
          body: machine.enrolmentRequest({ kind: 'approval' }, 'newcomer'),
        });
      const [hers, his] = [await begin(alice), await begin(mallory)];
      assert.equal((await alice.prove(hers)).body.state, 'awaiting-approval');
      assert.equal((await mallory.prove(his)).body.code, 'identity_taken');
      await workshop.call('POST', '/v1/devices/newcomer/approve');
      assert.equal((await mallory.prove(his)).body.code, 'identity_taken');
      assert.equal((await alice.prove(hers)).body.state, 'enrolled');
      // One that waits where it should not is sent away, and the id is free.
      const squatter = await workshop.newMachine();
      const body = squatter.enrolmentRequest({ kind: 'approval' }, 'another');
      const squatting = await squatter.client.call('POST', '/v1/enrolments', { body });
      assert.equal((await squatter.prove(squatting)).body.state, 'awaiting-approval');
      assert.equal((await workshop.call('DELETE', '/v1/devices/another')).status, 204);
      assert.equal((await workshop.call('POST', '/v1/devices/another/approve')).body.code, 'not_found');
      assert.equal((await squatter.prove(squatting)).body.code, 'not_found');
    });

    test('A29: a proof that is repeated gives nothing to a device that is quarantined or reset since', async (t) => {
      const { server, workshop } = await start(t);
      const machine = await workshop.newMachine();
      const joining = { kind: 'token', token: await workshop.joinToken('alice') } as const;
      const begun = await machine.client.call('POST', '/v1/enrolments', { body: machine.enrolmentRequest(joining) });
      assert.equal((await machine.prove(begun)).body.state, 'enrolled');
      await workshop.call('POST', '/v1/devices/alice/quarantine');
      assert.equal((await machine.prove(begun)).body.code, 'device_quarantined');
      await workshop.call('POST', '/v1/devices/alice/approve');
      assert.equal((await machine.prove(begun)).body.state, 'enrolled');
      await workshop.call('POST', '/v1/devices/alice/reset');
      assert.equal((await machine.prove(begun)).body.code, 'conflict');
      // No certificate of its attestation key is good any more, and none was made.
      const certificates = await server.service.store.read.certificates.list('alice');
      const good = certificates.filter((one) => one.revoked_at_ms === null);
      assert.deepEqual(good, []);
    });

    test('A31: an id that another TPM has, and a known TPM with another key, are refused and told of', async (t) => {
      const { server, workshop } = await start(t);
      const alice = await workshop.enrolledMachine('alice');
      const mallory = await workshop.newMachine();
      const stolen = await mallory.enrol({ kind: 'token', token: await workshop.joinToken() }, 'alice');
      assert.equal(stolen.status, 403);
      assert.equal(stolen.body.code, 'identity_taken');
      alice.tpm.newAttestationKey();
      const changed = await alice.enrol({ kind: 'token', token: await workshop.joinToken() });
      assert.equal(changed.body.code, 'identity_taken');
      assert.equal(server.logLines.filter((line) => line.includes('"alert":"identity_taken"')).length, 2);
      // After an operator's reset the same TPM may have a new key, under its old name.
      await workshop.call('POST', '/v1/devices/alice/reset');
      assert.equal((await alice.enrol({ kind: 'approval' })).body.deviceId, 'alice');
    });

    test('A56: a machine keeps one request that waits, and of one that is known nothing is kept', async (t) => {
      const { server, workshop } = await start(t, { approval: true });
      const machine = await workshop.newMachine();
      for (const id of ['one', 'two', 'two', 'three']) {
        assert.equal((await machine.enrol({ kind: 'approval' }, id)).body.state, 'awaiting-approval');
      }
      const { items } = (await workshop.call('GET', '/v1/enrolments')).body;
      assert.deepEqual(
        items.map(({ deviceId }: { deviceId: string }) => deviceId),
        ['three'],
      );
      const known = await workshop.enrolledMachine('alice');
      const request = known.enrolmentRequest({ kind: 'approval' });
      const filled = { ...request, platformCertificates: Array.from({ length: 16 }, () => 'A'.repeat(80_000)) };
      const begun = await server.client.call('POST', '/v1/enrolments', { body: filled });
      assert.equal(begun.status, 201);
      const row = await server.service.store.read.enrolments.find(begun.body.enrolmentId);
      assert.deepEqual([row?.joined_by, row?.request], ['again', '{}']);
      assert.equal((await known.prove(begun)).body.state, 'enrolled');
    });

    test('A29: without the proof nothing is enrolled, and a wrong proof ends the enrolment', async (t) => {
      const { server, workshop } = await start(t);
      const machine = await workshop.newMachine();
      const token = await workshop.joinToken('alice');
      const begun = await server.client.call('POST', '/v1/enrolments', {
        body: machine.enrolmentRequest({ kind: 'token', token }),
      });
      machine.id = 'alice';
      const early = await server.client.call('POST', '/v1/devices/alice/challenges');
      assert.equal(early.body.code, 'device_not_enrolled');
      const path = `/v1/enrolments/${begun.body.enrolmentId}/proof`;
      const guessed = await server.client.call('POST', path, { body: { secret: encodeBase64url(new Uint8Array(32)) } });
      assert.equal(guessed.body.code, 'proof_wrong');
      assert.equal((await machine.prove(begun)).body.code, 'proof_wrong');
      assert.equal((await machine.enrol({ kind: 'token', token })).body.state, 'enrolled');
    });

    test('A30: the EK of one TPM and the AK of another do not make a machine', async (t) => {
      const { workshop } = await start(t);
      const [a, b] = [await workshop.newMachine(), await workshop.newMachine()];
      const mixed = {
        ...a.enrolmentRequest({ kind: 'token', token: await workshop.joinToken() }),
        attestationKey: encodeBase64url(b.tpm.akPublic.bytes),
      };
      const begun = await a.client.call('POST', '/v1/enrolments', { body: mixed });
      assert.equal(begun.status, 201);
      const { idObject, encryptedSecret } = begun.body.credential;
      for (const { tpm } of [a, b]) {
        assert.equal(tpm.activateCredential(parseBase64url(idObject), parseBase64url(encryptedSecret)), undefined);
      }
      assert.equal((await a.prove(begun)).body.code, 'proof_wrong');
    });

    test('A34: the secret of one enrolment proves nothing in another', async (t) => {
      const { workshop } = await start(t);
      const machine = await workshop.newMachine();
      const begin = async () =>
        machine.client.call('POST', '/v1/enrolments', {
          body: machine.enrolmentRequest({ kind: 'token', token: await workshop.joinToken() }),
        });
      const [first, second] = [await begin(), await begin()];
      const crossed = { ...first, body: { ...first.body, enrolmentId: second.body.enrolmentId } };
      assert.equal((await machine.prove(crossed)).body.code, 'proof_wrong');
    });
  });
}

test('A32: attestation keys that are weak, or not a TPM’s alone', async (t) => {
  const server = await startTestServer(t);
  const workshop = await openWorkshop(server);
  const machine = await workshop.newMachine();
  const good = machine.tpm.akPublic.value;
  const token = await workshop.joinToken();
  const clear = (name: keyof TpmtPublic['objectAttributes']): PublicArea =>
    publicArea({ ...good, objectAttributes: { ...good.objectAttributes, [name]: false } });
  const rsa = attestationKeyTemplate('rsassa-2048').value as Extract<TpmtPublic, { type: 'rsa' }>;
  const cases: Readonly<Record<string, Uint8Array>> = {
    restricted: clear('restricted').bytes,
    fixedTPM: clear('fixedTPM').bytes,
    fixedParent: clear('fixedParent').bytes,
    sensitiveDataOrigin: clear('sensitiveDataOrigin').bytes,
    signEncrypt: clear('signEncrypt').bytes,
    'a name by SHA-1': publicArea({ ...good, nameAlg: 'sha1' }).bytes,
    'RSA of 1,024 bits': publicArea({
      ...rsa,
      parameters: { ...rsa.parameters, keyBits: 1024 },
      unique: new Uint8Array(128).fill(0xc5),
    }).bytes,
    'a point that is on no curve': publicArea({
      ...good,
      unique: { x: new Uint8Array(32).fill(1), y: new Uint8Array(32).fill(1) },
    } as TpmtPublic).bytes,
    'no public area': Uint8Array.of(1, 2, 3),
    'a public area that is cut short': machine.tpm.akPublic.bytes.slice(0, -1),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    const answer = await server.client.call('POST', '/v1/enrolments', {
      body: { ...machine.enrolmentRequest({ kind: 'token', token }), attestationKey: encodeBase64url(bytes) },
    });
    assert.equal(answer.status, 403, name);
    assert.equal(answer.body.code, 'attestation_key_refused', name);
  }
});

test('A33: endorsement certificates that do not show a genuine TPM', async (t) => {
  const server = await startTestServer(t);
  const workshop = await openWorkshop(server);
  const machine = await workshop.newMachine();
  const token = await workshop.joinToken();
  const spki = (await import('@vouchsafe/tpm')).spkiOf(machine.tpm.ekPublic.value);
  const lookalike = await newTpmMaker();
  const validity = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2046, 0, 1) };
  const input = {
    subject: [{ oid: OID.commonName, text: 'an EK' }],
    serialNumber: 77n,
    validity,
    basicConstraints: { isCa: false, pathLength: undefined },
    keyUsage: ['keyAgreement'],
    extKeyUsage: [OID.tcgEndorsementKey],
  } as const;
  const other = await SimulatedTpm.make(workshop.maker);
  const cases: Readonly<Record<string, Uint8Array>> = {
    ek_signature_invalid: (await issueCertificate(input, spki, lookalike)).bytes,
    ek_key_differs: other.certificates[0] as Uint8Array,
    ek_purpose_missing: (await issueCertificate({ ...input, extKeyUsage: [OID.serverAuth] }, spki, workshop.maker))
      .bytes,
    ek_is_authority: (
      await issueCertificate(
        { ...input, basicConstraints: { isCa: true, pathLength: undefined } },
        spki,
        workshop.maker,
      )
    ).bytes,
    ek_expired: (
      await issueCertificate({ ...input, validity: { notBeforeMs: 0, notAfterMs: 1000 } }, spki, workshop.maker)
    ).bytes,
  };
  for (const [code, der] of Object.entries(cases)) {
    const request = machine.enrolmentRequest({ kind: 'token', token });
    const answer = await server.client.call('POST', '/v1/enrolments', {
      body: { ...request, endorsement: { ...request.endorsement, certificates: [encodeBase64url(der)] } },
    });
    assert.equal(answer.body.code, 'endorsement_refused', code);
    const codes = answer.body.findings.map((finding: { code: string }) => finding.code);
    assert.ok(codes.includes(code), `${code}: ${codes}`);
  }
  const strangers = await SimulatedTpm.make(await newTpmMaker('a maker nobody knows'));
  const request = machine.enrolmentRequest({ kind: 'token', token });
  const unknown = await server.client.call('POST', '/v1/enrolments', {
    body: {
      ...request,
      endorsement: {
        publicArea: encodeBase64url(strangers.ekPublic.bytes),
        certificates: strangers.certificates.map(encodeBase64url),
      },
    },
  });
  assert.ok(unknown.body.detail.includes('a maker nobody knows'), 'names the issuer that is missing');
});
