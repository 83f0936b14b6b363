// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DATABASES } from './support/databases.ts';
import { openWorkshop } from './support/machine.ts';
import { startTestServer } from './support/server.ts';

for (const database of DATABASES) {
  describe(`attestation on ${database.name}`, database.requirement, () => {
    const start = async (t: Parameters<typeof startTestServer>[0]) => {
      const databaseUrl = await database.open();
      const server = await startTestServer(t, databaseUrl === undefined ? {} : { databaseUrl });
      return { server, workshop: await openWorkshop(server) };
    };

    test('from a token to trust: enrol, attest, learn the firmware, attest again', async (t) => {
      const { workshop } = await start(t);
      await workshop.addImage();
      const machine = await workshop.enrolledMachine('alice');
      assert.equal(machine.id, 'alice');
      const first = await machine.attest(machine.challenge === undefined ? {} : { challenge: machine.challenge });
      assert.equal(first.status, 200, JSON.stringify(first.body));
      assert.equal(first.body.verdict.isTrusted, false);
      assert.deepEqual(first.body.verdict.image, { name: 'edge', version: '1.4.0' });
      const learned = await workshop.call('POST', '/v1/baselines', { deviceId: 'alice' });
      assert.equal(learned.status, 201, JSON.stringify(learned.body));
      assert.equal(learned.body.life, 'candidate');
      await workshop.call('POST', `/v1/baselines/${learned.body.sha256}/approve`);
      const second = await machine.attest({ challenge: first.body.challenge });
      assert.equal(second.status, 200, JSON.stringify(second.body));
      assert.equal(second.body.verdict.isTrusted, true, JSON.stringify(second.body.verdict));
      const { body: shown } = await workshop.call('GET', '/v1/devices/alice');
      assert.equal(shown.state, 'trusted');
    });
  });
}
