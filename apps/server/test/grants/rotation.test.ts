// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeBase64url } from '@vouchsafe/protocol';
import { tempDir } from '@vouchsafe/testing';
import { newKeyFile } from '../../src/domain/secrets/key-ring.ts';
import { openSecret } from '../../src/domain/secrets/secrets.ts';
import { startTestServer } from '../support/server.ts';

const POLICY = 'permit(principal, action == Action::"release", resource);';

test('the key of all that is encrypted is changed by a line in its file, and the old one can go', async (t) => {
  const stateDir = tempDir(t);
  const path = join(stateDir, 'secrets.key');
  const webhooks = { allow: ['127.0.0.0/8'], allowHttp: true };
  const start = () => startTestServer(t, { stateDir, grants: { webhooks } });
  const write = (text: string): void => writeFileSync(path, text, { mode: 0o600 });

  const first = await start();
  const { client, adminToken: token } = first;
  const put = (name: string, value: string) =>
    client.call('PUT', `/v1/secrets/${name}`, {
      token,
      body: { value: encodeBase64url(Buffer.from(value)), policy: POLICY },
    });
  for (const value of ['one', 'two']) assert.equal((await put('disk', value)).status, 200);
  assert.equal((await put('other', 'three')).status, 200);
  const hook = { url: 'http://127.0.0.1:1/' };
  assert.equal((await client.call('POST', '/v1/webhooks', { token, body: hook })).status, 201);
  const authority = first.service.keys.client.certificate.bytes;
  await first.close();

  const [old, fresh] = [readFileSync(path, 'utf8'), newKeyFile()];
  // A new key alone opens nothing: the service does not start, and nothing is lost.
  write(fresh);
  await assert.rejects(start(), { code: 'secret_key_wrong' });
  write(fresh + old);
  await (await start()).close();
  // Everything is under the new key now.
  write(old);
  await assert.rejects(start(), { code: 'secret_key_wrong' });
  write(fresh);
  const last = await start();
  const { store, keys } = last.service;
  assert.deepEqual(keys.client.certificate.bytes, authority);
  for (const [name, version, value] of [
    ['disk', 1, 'one'],
    ['disk', 2, 'two'],
    ['other', 1, 'three'],
  ] as const) {
    const plain = await openSecret(store.read, keys.ring, { name, version });
    assert.equal(Buffer.from(plain ?? []).toString(), value);
  }
  const { currentId } = keys.ring;
  assert.deepEqual(await store.read.webhooks.sealedOtherwise(currentId), []);
  assert.deepEqual(await store.read.serviceKeys.sealedOtherwise(currentId), []);
});
