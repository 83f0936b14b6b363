// SPDX-License-Identifier: Apache-2.0
// All of it over HTTPS: a machine enrols, attests, and earns what it is granted; and loses it.
import assert from 'node:assert/strict';
import { constants, createDecipheriv, privateDecrypt } from 'node:crypto';
import { test } from 'node:test';
import { decodeCertificate, importKey, isCertificateSignedBy, OID } from '@vouchsafe/pki';
import { type Challenge, type Evidence, encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { clientKeyTemplate, decryptionKeyTemplate } from '@vouchsafe/tpm';
import { verifyEar } from '../../src/domain/results/ear-token.ts';
import { secretContext } from '../../src/domain/secrets/wrap-secret.ts';
import { DATABASES } from '../support/databases.ts';
import { openWorkshop } from '../support/machine.ts';
import { startTestServer } from '../support/server.ts';
import { certified, keyLike } from '../support/wishes.ts';

for (const { name, requirement, open } of DATABASES) {
  test(
    `${name}: enrolled, attested: a certificate, a secret, a result; tampered with: nothing, at once`,
    requirement,
    async (t) => {
      const databaseUrl = await open();
      const server = await startTestServer(t, databaseUrl === undefined ? {} : { databaseUrl });
      const { client, adminToken: token, service } = server;
      const workshop = await openWorkshop(server);
      await workshop.addImage();
      const machine = await workshop.newMachine();
      const joined = await machine.enrol({ kind: 'token', token: await workshop.joinToken('alice') });
      assert.equal(joined.status, 200, JSON.stringify(joined.body));

      // The attestation key's certificate, the same when it is asked for again.
      const chain = joined.body.attestationCertificates.map((one: string) => decodeCertificate(parseBase64url(one)));
      const [ak, authority] = chain;
      assert.deepEqual(ak.extensions.extKeyUsage, [OID.tcgAttestationKey]);
      assert.ok(isCertificateSignedBy(ak, importKey(authority.publicKey.bytes)));

      const first = await machine.attest();
      assert.equal(first.body.verdict.isTrusted, false);
      assert.equal(first.body.certificate, undefined);
      const learned = await workshop.call('POST', '/v1/baselines', { deviceId: 'alice' });
      await workshop.call('POST', `/v1/baselines/${learned.body.sha256}/approve`);
      const policy = 'permit(principal == Machine::"alice", action == Action::"release", resource);';
      const value = encodeBase64url(Buffer.from('the key of a disk'));
      assert.equal((await client.call('PUT', '/v1/secrets/disk', { token, body: { value, policy } })).status, 200);

      const [clientKey, decryptionKey] = [keyLike(clientKeyTemplate('P-256')), keyLike(decryptionKeyTemplate())];
      const ask = async (edit: (message: Evidence, challenge: Challenge) => object) => {
        const challenge = await machine.freshChallenge();
        return machine.attest({ challenge, edit: (message) => edit(message, challenge) });
      };
      const relyingPartyNonce = encodeBase64url(new Uint8Array(16).fill(7));
      const good = await ask((message, challenge) => ({
        ...message,
        keys: {
          client: certified(machine, clientKey, challenge),
          decryption: certified(machine, decryptionKey, challenge),
        },
        secrets: ['disk'],
        relyingPartyNonce,
      }));
      assert.equal(good.status, 200, JSON.stringify(good.body));
      assert.equal(good.body.verdict.isTrusted, true, JSON.stringify(good.body.verdict));
      const leaf = decodeCertificate(parseBase64url(good.body.certificate.chain[0]));
      assert.equal(leaf.subject.text, 'CN=alice');

      const [secret] = good.body.secrets;
      assert.equal(secret.state, 'granted', JSON.stringify(secret));
      const oaep = {
        key: decryptionKey.privateKeyPem,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
        oaepLabel: Buffer.from('vouchsafe-secret\0'),
      };
      const box = parseBase64url(secret.box);
      const key = privateDecrypt(oaep, parseBase64url(secret.wrappedKey));
      const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, 12));
      decipher.setAAD(secretContext('alice', 'disk')).setAuthTag(box.subarray(-16));
      const plain = Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()]);
      assert.equal(plain.toString(), 'the key of a disk');

      const { keys } = (await client.call('GET', '/v1/jwks.json')).body;
      const ear = verifyEar(good.body.ear, keys, service.clock());
      assert.equal(ear?.eat_nonce, relyingPartyNonce);
      assert.equal(ear?.submods.machine.ear_status, 'affirming');

      const created = await client.call('POST', '/v1/operators', { token, body: { name: 'p', role: 'proxy' } });
      const header = Buffer.from(leaf.bytes).toString('base64');
      const passes = async (): Promise<number> =>
        (
          await client.call('GET', '/v1/authorize', {
            token: created.body.token,
            headers: { 'x-vouchsafe-client-cert': header },
          })
        ).status;
      assert.equal(await passes(), 200);

      // It starts anew with something else, and is told why; nothing that it had is good from then on.
      machine.boot({ kernel: 'another UKI' });
      const bad = await ask((message) => ({ ...message, secrets: ['disk'] }));
      assert.equal(bad.status, 200, JSON.stringify(bad.body));
      assert.equal(bad.body.verdict.isTrusted, false);
      assert.equal(bad.body.certificate, undefined);
      assert.deepEqual(
        bad.body.secrets.map((one: { code: string }) => one.code),
        ['not_granted'],
      );
      const refused = verifyEar(bad.body.ear, keys, service.clock());
      assert.equal(refused?.submods.machine.ear_status, 'contraindicated');
      assert.equal(await passes(), 403);
      const listed = await client.call('GET', '/v1/devices/alice/certificates', { token });
      const ends = listed.body.items.map((one: { authority: string; revokedAtMs?: number }) => [
        one.authority,
        one.revokedAtMs !== undefined,
      ]);
      assert.deepEqual(ends.toSorted(), [
        ['attestation', false],
        ['client', true],
      ]);

      // A device that is reset loses the certificate of its attestation key too.
      await workshop.call('POST', '/v1/devices/alice/reset');
      const after = await client.call('GET', '/v1/devices/alice/certificates', { token });
      assert.ok(after.body.items.every((one: { revokedAtMs?: number }) => one.revokedAtMs !== undefined));
    },
  );
}
