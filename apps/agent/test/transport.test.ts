// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fetchPinnedCa, httpsTransport } from '@vouchsafe/agent';
import { pemOf, testAuthority } from './support/test-authority.ts';
import { TestService, type TestServiceOptions } from './support/test-service.ts';

async function scene(t: TestContext, options: TestServiceOptions = {}) {
  const authority = await testAuthority('CA');
  const service = await TestService.start(authority, {
    instead: () => ({ status: 200, body: { fine: true } }),
    ...options,
  });
  t.after(() => service.stop());
  const connect = (ca = pemOf(authority.certificate), timeoutMs = 5000) => {
    const transport = httpsTransport({ url: service.url, ca, timeoutMs });
    t.after(() => transport.close());
    return transport;
  };
  return { authority, service, connect };
}

test('requests share one connection, which is made anew after the service was away', async (t) => {
  const { service, connect } = await scene(t);
  const transport = connect();
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await transport.post('/v1/x', { i }), { status: 200, body: { fine: true } });
  }
  assert.equal(service.connections, 1);
  await service.restart();
  assert.equal((await transport.post('/v1/x', {})).status, 200);
  assert.equal(service.connections, 2);
  assert.deepEqual(
    service.exchanges.map(({ path }) => path),
    Array(6).fill('/v1/x'),
  );
});

test('the authority is found by the pin of a token, and no other is taken', async (t) => {
  const { authority, service } = await scene(t);
  const pem = await fetchPinnedCa(service.url, service.caSha256);
  assert.equal(pem, pemOf(authority.certificate));
  await assert.rejects(fetchPinnedCa(service.url, 'ab'.repeat(32)), { code: 'server_untrusted' });
  const { url } = service;
  await service.stop();
  await assert.rejects(fetchPinnedCa(url, service.caSha256), { code: 'server_unreachable' });
});

test('another authority, another name and a certificate out of its time are refused before anything is sent', async (t) => {
  const other = pemOf((await testAuthority('CA')).certificate);
  const { service, connect } = await scene(t);
  await assert.rejects(connect(other).post('/v1/x', {}), { code: 'server_untrusted' });
  await service.restart({ host: 'other.example' });
  await assert.rejects(connect().post('/v1/x', {}), { code: 'server_untrusted' });
  await service.restart({ days: -1 });
  await assert.rejects(connect().post('/v1/x', {}), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'server_untrusted');
    // The clock may be what is wrong: it is in the message.
    assert.match(error.message, /CERT_HAS_EXPIRED.*20[0-9]{2}-/);
    return true;
  });
  assert.deepEqual(service.exchanges, []);
});

test('answers that break off, last too long, or are something else', async (t) => {
  const { service, connect } = await scene(t, { instead: () => 'hang up' });
  await assert.rejects(connect().post('/v1/x', {}), { code: 'server_unreachable' });
  service.options.instead = () => ({ status: 503, body: {}, retryAfter: '7' });
  assert.deepEqual(await connect().post('/v1/x', {}), { status: 503, body: {}, retryAfterMs: 7000 });
  service.options.instead = () => ({ status: 204 });
  assert.deepEqual(await connect().post('/v1/x', {}), { status: 204, body: undefined });
  service.options.instead = () => ({ status: 200, text: '<html>' });
  await assert.rejects(connect().post('/v1/x', {}), { code: 'answer_malformed' });
  service.options.instead = () => ({ status: 200, text: 'x'.repeat(25 * 1024 * 1024) });
  await assert.rejects(connect(undefined, 60_000).post('/v1/x', {}), { code: 'answer_malformed' });
  service.options.instead = () => 'say nothing';
  await assert.rejects(connect(undefined, 50).post('/v1/x', {}), { code: 'server_unreachable' });
});
