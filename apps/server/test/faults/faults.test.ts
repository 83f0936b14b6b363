// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { tempDir } from '@vouchsafe/testing';
import { DATABASES } from '../support/databases.ts';
import { openWorkshop } from '../support/machine.ts';
import { startTestServer } from '../support/server.ts';
import { trustedMachine } from '../support/trusted.ts';
import { idleConnections } from './idle-connections.ts';
import { killRounds } from './kill-rounds.ts';

const HOUR_MS = 3_600_000;
const ROUNDS = 2;
const CONNECTIONS = 100;
const IDLE = 300;
const MAX_MIB = 400;

for (const { name, requirement, open } of DATABASES) {
  test(
    `${name}: killed again and again amid enrolments and attestations, nothing acknowledged is lost`,
    requirement,
    async (t) => {
      const databaseUrl = await open();
      const report = await killRounds({ stateDir: tempDir(t), databaseUrl, isEnough: (rounds) => rounds >= ROUNDS });
      assert.ok(report.attestations >= ROUNDS);
      assert.ok(report.entries > 0);
    },
  );
}

test('connections that are kept and idle: none is closed, and others are served', async (t) => {
  const { connections, withThemMiB } = await idleConnections(tempDir(t), IDLE);
  assert.equal(connections, IDLE);
  assert.ok(withThemMiB < MAX_MIB, `${withThemMiB} MiB`);
});

test('the host clock goes an hour forward and two back: machines go on, and no nonce is good twice', async (t) => {
  let stepMs = 0;
  const server = await startTestServer(t, { now: () => Date.now() + stepMs });
  const workshop = await openWorkshop(server);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  const used: unknown[] = [];
  let lastMs = 0;
  for (const step of [0, HOUR_MS, -HOUR_MS, 0]) {
    stepMs = step;
    // A challenge of now: what was held since before the step may have ended with it.
    const message = alice.evidence(await alice.freshChallenge());
    const { status, body } = await alice.send(message);
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(body.verdict.atMs > lastMs);
    lastMs = body.verdict.atMs;
    used.push(message);
    for (const old of used) {
      assert.match((await alice.send(old)).body.code, /^challenge_(used|expired)$/);
    }
  }
});

test('slow senders, idle connections and a body of 1 GB: others are served', async (t) => {
  const server = await startTestServer(t);
  const workshop = await openWorkshop(server);
  await workshop.addImage();
  const alice = await trustedMachine(workshop, 'alice');
  const open: (Socket | TLSSocket)[] = [];
  const options = { host: '127.0.0.1', port: server.port };
  try {
    for (let i = 0; i < CONNECTIONS; i++) {
      // Never a word of TLS.
      const silent = connectTcp(options).on('error', () => {});
      open.push(silent);
      await once(silent, 'connect');
    }
    for (let i = 0; i < CONNECTIONS / 10; i++) {
      const slow = connectTls({ ...options, ca: server.caCertificate }).on('error', () => {});
      open.push(slow);
      await once(slow, 'secureConnect');
      slow.write('POST /v1/devices/alice/evidence HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
      slow.write(i % 2 === 0 ? 'x-slow: ' : 'content-length: 1000\r\n\r\n{');
    }
    const large = connectTls({ ...options, ca: server.caCertificate }).on('error', () => {});
    open.push(large);
    await once(large, 'secureConnect');
    large.write('POST /v1/devices/alice/evidence HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
    large.write(`content-length: ${2 ** 30}\r\n\r\n`);
    // Refused by what it announces, before anything of it is read.
    const [answer] = (await once(large, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 413 /);
    const { status, body } = await alice.attest();
    assert.equal(status, 200, JSON.stringify(body));
  } finally {
    // Before the service ends: it waits for what is under way.
    for (const socket of open) socket.destroy();
  }
});
