// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Evidence } from '@vouchsafe/protocol';
import { testAuthority } from './support/test-authority.ts';
import { NEEDS_TPM, testMachine } from './support/test-machine.ts';
import { TestService } from './support/test-service.ts';

test('a machine enrols with a token, attests, gets a certificate and a secret', NEEDS_TPM, async (t) => {
  const machine = await testMachine(t);
  const service = await TestService.start(await testAuthority('CA'), { secrets: { disk: 'a key for a disk' } });
  t.after(() => service.stop());
  const agent = machine.agent();
  t.after(() => agent.close());
  const outcome = await agent.join({
    server: { url: service.url, caSha256: service.caSha256 },
    joining: { kind: 'token', token: 'token-for-one-machine' },
  });
  assert.equal(outcome.state, 'enrolled');
  const { verdict, certificate, nextInMs } = await agent.attest();
  assert.equal(verdict.isTrusted, true);
  assert.equal(nextInMs, 60_000);
  assert.equal(certificate?.chain.length, 2);
  assert.equal(Buffer.from(await agent.secret('disk')).toString(), 'a key for a disk');
  await assert.rejects(agent.secret('other'), { code: 'secret_refused' });
  for (const name of ['state.json', 'client.crt', 'client.key', 'ca.crt', 'attestation.crt', 'openssl.cnf']) {
    assert.equal(statSync(join(machine.statePath, name)).mode & 0o777, 0o600, name);
  }
  assert.ok(!readFileSync(join(machine.statePath, 'state.json'), 'utf8').includes('token-for-one-machine'));
  const sent = service.exchanges.filter(({ path }) => path.endsWith('evidence')).map(({ body }) => body as Evidence);
  assert.deepEqual(
    sent.map(({ keys, secrets }) => [keys !== undefined, secrets ?? []]),
    [
      [true, []],
      [false, ['disk']],
      [false, ['other']],
    ],
  );
});
