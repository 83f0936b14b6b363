// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access } from '../src/http/access.ts';
import { startTestServer } from './support/server.ts';

/** `POST /v1/tokens/{id}` with something in the place of each parameter. */
const filled = (path: string): string =>
  path.replaceAll(/\{sha256\}/g, 'a'.repeat(64)).replaceAll(/\{[A-Za-z]+\}/g, 'aaaaaaaaaaaaaaaaaaaaaa');

const METHODS = ['get', 'post', 'put', 'delete', 'patch'] as const;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly access: Access;
}

async function operationsOf(server: Awaited<ReturnType<typeof startTestServer>>): Promise<Operation[]> {
  const { body } = await server.client.call('GET', '/v1/openapi.json');
  return Object.entries(body.paths as Record<string, Record<string, { 'x-access'?: Access }>>).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, access: operation['x-access'] as Access }];
    }),
  );
}

test('the OpenAPI document has every route and no other, with who may call it', async (t) => {
  const server = await startTestServer(t);
  const { status, body } = await server.client.call('GET', '/v1/openapi.json');
  assert.equal(status, 200);
  assert.equal(body.openapi, '3.1.0');
  const described = (await operationsOf(server))
    .map(({ method, path, access }) => `${method} ${path} ${access}`)
    .sort();
  const served = server.routes
    // Under which a proxy puts any path.
    .filter(({ url }) => !url.endsWith('*'))
    .map(({ method, url, access }) => `${method.toLowerCase()} ${url.replaceAll(/:(\w+)/g, '{$1}')} ${access}`)
    .sort();
  assert.deepEqual(described, served);
  for (const [path, item] of Object.entries(body.paths as Record<string, Record<string, { responses: object }>>)) {
    for (const [method, { responses }] of Object.entries(item)) {
      assert.ok(
        Object.keys(responses).some((code) => code.startsWith('2')),
        `${method} ${path} says how it succeeds`,
      );
    }
  }
});

test('A57: without a credential every route of operators says 401, before it looks at anything else', async (t) => {
  const server = await startTestServer(t);
  const operations = await operationsOf(server);
  const guarded = operations.filter(({ access }) => access !== 'machine' && access !== 'public');
  assert.ok(guarded.length > 10);
  for (const { method, path } of guarded) {
    for (const options of [{}, { token: 'x'.repeat(43) }, { headers: { authorization: 'Basic YTpi' } }]) {
      const answer = await server.client.call(method.toUpperCase(), filled(path), { raw: '{"not": ', ...options });
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(answer.body.code, 'unauthenticated');
      assert.equal(answer.headers['content-type'], 'application/problem+json');
    }
  }
});

test('A57: a machine’s token opens no route of operators', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.client.call('POST', '/v1/tokens', { token: server.adminToken, body: {} });
  const { parseJoinToken } = await import('@vouchsafe/protocol');
  const { token } = parseJoinToken(body.text);
  for (const { method, path, access } of await operationsOf(server)) {
    if (access === 'machine' || access === 'public') continue;
    const answer = await server.client.call(method.toUpperCase(), filled(path), { token, raw: '{' });
    assert.equal(answer.status, 403, `${method} ${path}`);
    assert.equal(answer.body.code, 'forbidden');
  }
});

test('A57: each role reaches its own routes and no others', async (t) => {
  const server = await startTestServer(t);
  const INCLUDES = { viewer: ['viewer'], operator: ['viewer', 'operator'], proxy: ['proxy'] } as const;
  for (const role of ['viewer', 'operator', 'proxy'] as const) {
    const created = await server.client.call('POST', '/v1/operators', {
      token: server.adminToken,
      body: { name: `the-${role}`, role },
    });
    for (const { method, path, access } of await operationsOf(server)) {
      if (access === 'machine' || access === 'public') continue;
      const isAllowed = (INCLUDES[role] as readonly string[]).includes(access);
      const answer = await server.client.call(method.toUpperCase(), filled(path), {
        token: created.body.token,
        raw: '{',
      });
      assert.equal(answer.status === 403 && answer.body?.code === 'forbidden', !isAllowed, `${role} ${method} ${path}`);
      // The answer about a caller's certificate, which is not there, is 401 too.
      assert.notEqual(answer.body?.code, 'unauthenticated');
    }
  }
});

test('requests that are not what a form says are refused whole, as RFC 9457 has it', async (t) => {
  const { client, adminToken: token } = await startTestServer(t);
  const unknown = await client.call('POST', '/v1/tokens', { token, body: { lable: 'x' } });
  assert.equal(unknown.status, 400);
  assert.equal(unknown.body.code, 'request_malformed');
  assert.equal(unknown.body.type, 'urn:vouchsafe:problem:request_malformed');
  const converted = await client.call('POST', '/v1/tokens', { token, body: { lifeMs: '3600000' } });
  assert.equal(converted.body.pointer, '/lifeMs');
  const broken = await client.call('POST', '/v1/tokens', { token, raw: '{"a":' });
  assert.equal(broken.body.code, 'request_malformed');
  const poisoned = await client.call('POST', '/v1/tokens', { token, raw: '{"__proto__": {"role": "admin"}}' });
  assert.equal(poisoned.status, 400);
  const form = await client.call('POST', '/v1/tokens', {
    token,
    raw: 'a=b',
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(form.body.code, 'media_type_unsupported');
  const large = await client.call('POST', '/v1/tokens', { token, body: { label: 'x'.repeat(100_000) } });
  assert.equal(large.body.code, 'body_too_large');
  assert.equal((await client.call('GET', '/v1/nothing')).body.code, 'not_found');
});

test('A56: one address gets so many requests a minute, and so many wrong tokens', async (t) => {
  const few = await startTestServer(t, {
    limits: { requestsPerMinute: 5, signInsPerMinute: 1000, enrolmentsPerMinute: 5, evidencePerMinute: 5 },
  });
  const answers = [];
  for (let i = 0; i < 7; i++)
    answers.push((await few.client.call('GET', '/v1/service', { token: few.adminToken })).status);
  assert.deepEqual(answers, [200, 200, 200, 200, 200, 429, 429]);
  assert.equal((await few.client.call('GET', '/v1/health')).status, 200);
  const strict = await startTestServer(t, {
    limits: { requestsPerMinute: 1000, signInsPerMinute: 3, enrolmentsPerMinute: 5, evidencePerMinute: 5 },
  });
  for (let i = 0; i < 3; i++) await strict.client.call('GET', '/v1/service', { token: 'y'.repeat(43) });
  const locked = await strict.client.call('GET', '/v1/service', { token: strict.adminToken });
  assert.equal(locked.status, 429);
});

test('health, readiness and metrics', async (t) => {
  const { client, adminToken: token } = await startTestServer(t);
  assert.equal((await client.call('GET', '/v1/health')).body.status, 'ok');
  assert.equal((await client.call('GET', '/v1/ready')).body.status, 'ok');
  const { status, body } = await client.call('GET', '/metrics', { token });
  assert.equal(status, 200);
  const counted = 'vouchsafe_http_request_seconds_count{method="GET",route="/v1/health",status="200"}';
  assert.ok(body.includes(counted), 'requests are counted by route');
});
