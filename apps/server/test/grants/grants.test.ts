// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  decodeCertificate,
  decodeCrl,
  formatCertificate,
  importKey,
  isCertificateSignedBy,
  isCrlSignedBy,
  parsePem,
} from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { clientKeyTemplate, decryptionKeyTemplate } from '@vouchsafe/tpm';
import { DATABASES } from '../support/databases.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { attestWith, enrolTestDevice, firstKeys, verdictOf } from './device.ts';

const GOOD = verdictOf('affirming');
const BAD = verdictOf('contraindicated');

const proxyToken = async ({ client, adminToken: token }: TestServer): Promise<string> =>
  (await client.call('POST', '/v1/operators', { token, body: { name: 'proxy', role: 'proxy' } })).body.token;

const headerOf = (chain: readonly string[] | undefined): string =>
  encodeURIComponent(formatCertificate(decodeCertificate(parseBase64url(chain?.[0] ?? ''))));

for (const { name, requirement, open } of DATABASES) {
  const start = async (t: Parameters<typeof startTestServer>[0], config = {}): Promise<TestServer> => {
    const databaseUrl = await open();
    return startTestServer(t, { ...config, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  };

  test(`${name}: a good verdict earns a certificate, which passes a proxy until a bad one`, requirement, async (t) => {
    const server = await start(t);
    const { service, client } = server;
    const device = await enrolTestDevice(service, 'edge-1');
    const { keys } = firstKeys(device);
    const { certificate } = await attestWith(service, device, GOOD, { keys });
    assert.ok(certificate);
    const leaf = decodeCertificate(parseBase64url(certificate.chain[0] ?? ''));
    assert.equal(leaf.subject.text, 'CN=edge-1');
    assert.ok(isCertificateSignedBy(leaf, importKey(service.keys.client.certificate.publicKey.bytes)));
    const token = await proxyToken(server);
    const ask = (value: string, headers = {}) =>
      client.call('GET', '/v1/authorize', { token, headers: { 'x-vouchsafe-client-cert': value, ...headers } });
    const passed = await ask(headerOf(certificate.chain));
    assert.equal(passed.status, 200);
    assert.equal(passed.headers['x-vouchsafe-device'], 'edge-1');
    assert.equal(passed.headers['x-vouchsafe-spiffe-id'], 'spiffe://vouchsafe.internal/device/edge-1');
    assert.equal(passed.headers['x-vouchsafe-image'], 'edge 1.4.0');
    assert.equal(passed.headers['x-vouchsafe-verdict'], 'affirming');

    await attestWith(service, device, BAD);
    const refused = await ask(headerOf(certificate.chain));
    assert.equal(refused.status, 403);
    assert.equal(refused.headers['x-vouchsafe-reason'], 'device_untrusted');
    const crl = decodeCrl(await list(server));
    assert.deepEqual(
      crl.revoked.map(({ serialNumber, reason }) => [serialNumber, reason]),
      [[leaf.serialNumber, 'privilegeWithdrawn']],
    );
    assert.ok(isCrlSignedBy(crl, importKey(service.keys.client.certificate.publicKey.bytes)));
    // Trusted again, the machine gets a new certificate; the old one stays revoked.
    const again = await attestWith(service, device, GOOD);
    assert.ok(again.certificate);
    assert.equal((await ask(headerOf(again.certificate.chain))).status, 200);
    const old = await ask(headerOf(certificate.chain));
    assert.equal(old.headers['x-vouchsafe-reason'], 'certificate_revoked');
  });

  test(
    `${name}: certificates are renewed when half of their life is over, and lists have growing numbers`,
    requirement,
    async (t) => {
      let nowMs = Date.now();
      const server = await start(t, { now: () => nowMs });
      const { service } = server;
      const device = await enrolTestDevice(service, 'edge-1');
      const first = await attestWith(service, device, GOOD, { keys: firstKeys(device).keys });
      assert.equal((await attestWith(service, device, GOOD)).certificate, undefined);
      nowMs += 29 * 60_000;
      assert.equal((await attestWith(service, device, GOOD)).certificate, undefined);
      nowMs += 2 * 60_000;
      const second = await attestWith(service, device, GOOD);
      assert.ok((second.certificate?.notAfterMs ?? 0) > (first.certificate?.notAfterMs ?? 0));
      assert.ok((second.certificate?.renewAtMs ?? 0) > nowMs);
      const numbers: bigint[] = [];
      for (let i = 0; i < 3; i++) {
        numbers.push(decodeCrl(await list(server)).crlNumber ?? 0n);
        await attestWith(service, device, BAD);
        await attestWith(service, device, GOOD);
      }
      assert.deepEqual(numbers, [1n, 2n, 3n]);
      assert.deepEqual(await list(server), await list(server));
      const young = decodeCrl(await list(server));
      nowMs += 7 * 3_600_000;
      const later = decodeCrl(await list(server));
      assert.equal(later.crlNumber, (young.crlNumber ?? 0n) + 1n);
      // Expired since: named once more (RFC 5280, 3.3), and not after that.
      assert.equal(later.revoked.length, young.revoked.length);
      nowMs += 7 * 3_600_000;
      assert.equal(decodeCrl(await list(server)).revoked.length, 0);
    },
  );

  test(`${name}: A28, A46: a key that is not this TPM's gets no certificate`, requirement, async (t) => {
    const { service } = await start(t);
    const [one, other] = [await enrolTestDevice(service, 'edge-1'), await enrolTestDevice(service, 'edge-2')];
    const nonce = new Uint8Array(20);
    const refused = { code: 'key_refused' };
    const { objectAttributes } = clientKeyTemplate('P-256').value;
    const movable = {
      ...clientKeyTemplate('P-256'),
      value: { ...clientKeyTemplate('P-256').value, objectAttributes: { ...objectAttributes, fixedTPM: false } },
    };
    for (const client of [
      other.certify(clientKeyTemplate('P-256'), nonce),
      one.certify(clientKeyTemplate('P-256'), new Uint8Array(20).fill(1)),
      one.certify(movable, nonce),
      one.certify(decryptionKeyTemplate(), nonce),
    ]) {
      await assert.rejects(attestWith(service, one, GOOD, { keys: { client } }), refused);
    }
    assert.equal((await attestWith(service, one, GOOD)).certificate, undefined);
  });

  test(
    `A59: ${name}: a secret that is taken back while evidence is looked at is not given any more`,
    requirement,
    async (t) => {
      const { service, client, adminToken: token } = await start(t);
      const device = await enrolTestDevice(service, 'edge-1');
      const permit = 'permit(principal, action == Action::"release", resource);';
      const forbid = 'forbid(principal, action == Action::"release", resource);';
      const put = async (policy: string): Promise<void> => {
        const body = { value: encodeBase64url(Buffer.from('of a disk')), policy };
        assert.equal((await client.call('PUT', '/v1/secrets/disk', { token, body })).status, 200);
      };
      const remove = async (): Promise<void> => {
        assert.equal((await client.call('DELETE', '/v1/secrets/disk', { token })).status, 204);
      };
      const ask = async (meanwhile: () => Promise<void>) => {
        const { keys } = firstKeys(device);
        const { secrets = [] } = await attestWith(service, device, GOOD, { keys, secrets: ['disk'], meanwhile });
        return secrets.map((one) => (one.state === 'granted' ? one.state : one.code));
      };
      await put(permit);
      assert.deepEqual(await ask(async () => {}), ['granted']);
      assert.deepEqual(await ask(remove), ['not_granted']);
      await put(permit);
      assert.deepEqual(await ask(() => put(`${permit}${forbid}`)), ['not_granted']);
      await put(permit);
      // Taken back and put in again, with other contents: the number of its version is that of before.
      await remove();
      await put(permit);
      const again = async (): Promise<void> => {
        await remove();
        await put(permit);
      };
      assert.deepEqual(await ask(again), ['not_granted']);
      assert.deepEqual(await ask(async () => {}), ['granted']);
      await service.auditLog.settle();
      const { body } = await client.call('GET', '/v1/audit', { token });
      const released = String(body)
        .split('\n')
        .filter((line) => line.includes('secret.release'));
      assert.equal(released.length, 2, 'what was withdrawn is not recorded as given');
    },
  );

  test(
    `${name}: a secret that cannot be opened is refused, and the machine attests all the same`,
    requirement,
    async (t) => {
      const server = await start(t);
      const { service, client, adminToken: token } = server;
      const device = await enrolTestDevice(service, 'edge-1');
      const body = { value: encodeBase64url(Buffer.from('x')), policy: 'permit(principal, action, resource);' };
      for (const one of ['good', 'sealed-otherwise', 'policy-of-before']) {
        assert.equal((await client.call('PUT', `/v1/secrets/${one}`, { token, body })).status, 200);
      }
      await service.store.write(async (tx) => {
        const row = await tx.secrets.findVersion('sealed-otherwise', 1);
        assert.ok(row !== undefined);
        const { wrapped_key, box } = row;
        await tx.secrets.reseal('sealed-otherwise', 1, { key_id: '0123456789abcdef', wrapped_key, box });
        const policy = await tx.secrets.find('policy-of-before');
        const version = await tx.secrets.findVersion('policy-of-before', 1);
        assert.ok(policy !== undefined && version !== undefined);
        await tx.secrets.put(
          { ...policy, version: 2, policy_text: 'permit what was permitted;' },
          { ...version, version: 2 },
        );
      });
      const names = ['good', 'sealed-otherwise', 'policy-of-before'];
      const { secrets = [] } = await attestWith(service, device, GOOD, {
        keys: firstKeys(device).keys,
        secrets: names,
      });
      assert.deepEqual(
        secrets.map((one) => (one.state === 'granted' ? one.state : one.code)),
        ['granted', 'not_granted', 'not_granted'],
      );
      const told = server.logLines.filter((line) => line.includes('cannot be released'));
      assert.deepEqual(told.map((line) => JSON.parse(line).code).sort(), ['policy_malformed', 'secret_key_wrong']);
    },
  );

  test(`A56: ${name}: a machine with a new key each time gets only so many certificates`, requirement, async (t) => {
    const { service } = await start(t);
    const device = await enrolTestDevice(service, 'edge-1');
    let issued = 0;
    for (let i = 0; i < 20; i++) {
      const { certificate } = await attestWith(service, device, GOOD, { keys: firstKeys(device).keys });
      if (certificate !== undefined) issued++;
    }
    assert.equal(issued, 16);
    assert.equal((await service.store.read.certificates.list('edge-1')).length, 16);
  });

  test(
    `${name}: a secret is released by its own policy, over a fresh challenge, to a certified key alone`,
    requirement,
    async (t) => {
      let nowMs = Date.now();
      const server = await start(t, { now: () => nowMs });
      const { service, client, adminToken: token } = server;
      const put = (name: string, value: string, policy?: string) =>
        client.call('PUT', `/v1/secrets/${name}`, {
          token,
          body: { value: encodeBase64url(Buffer.from(value)), ...(policy === undefined ? {} : { policy }) },
        });
      const policy = 'permit(principal == Machine::"edge-1", action == Action::"release", resource);';
      assert.equal((await put('disk', 'one')).body.code, 'policy_malformed');
      assert.equal((await put('disk', 'one', 'permit(')).body.code, 'policy_malformed');
      assert.equal((await put('disk', 'one', policy)).body.version, 1);
      assert.equal((await put('disk', 'two')).body.version, 2);
      assert.equal((await put('others', 'x', policy.replace('edge-1', 'edge-9'))).status, 200);
      const device = await enrolTestDevice(service, 'edge-1');
      const ask = async (verdict = GOOD, more = {}) => {
        const { secrets = [] } = await attestWith(service, device, verdict, {
          secrets: ['disk', 'others', 'none'],
          ...more,
        });
        return secrets.map((one) => (one.state === 'granted' ? `granted ${one.version}` : one.code));
      };
      assert.deepEqual(await ask(), ['decryption_key_missing', 'decryption_key_missing', 'decryption_key_missing']);
      assert.deepEqual(await ask(GOOD, { keys: firstKeys(device).keys }), ['granted 2', 'not_granted', 'not_granted']);
      assert.deepEqual(await ask(BAD), ['not_granted', 'not_granted', 'not_granted']);
      assert.deepEqual(await ask(verdictOf('warning')), ['not_granted', 'not_granted', 'not_granted']);
      nowMs += 1000;
      const held = (ageMs: number) => ({ challengeIssuedAtMs: nowMs - ageMs });
      assert.equal((await ask(GOOD, held(55_000)))[0], 'granted 2');
      assert.equal((await ask(GOOD, held(61_000)))[0], 'challenge_too_old');
      // No route gives it out.
      for (const path of ['/v1/secrets', '/v1/secrets/disk']) {
        const shown = await client.call('GET', path, { token });
        assert.equal(shown.status, 200);
        assert.equal(JSON.stringify(shown.body).includes(encodeBase64url(Buffer.from('two'))), false);
      }
      assert.equal((await client.call('DELETE', '/v1/secrets/disk', { token })).status, 204);
      assert.equal((await ask())[0], 'not_granted');
      assert.equal((await client.call('DELETE', '/v1/secrets/disk', { token })).status, 404);
      assert.equal(server.logLines.join('').includes('two'), false);
    },
  );

  test(`${name}: A63: nobody but a proxy may ask, and only the header of its route counts`, requirement, async (t) => {
    const server = await start(t);
    const { service, client, adminToken } = server;
    const device = await enrolTestDevice(service, 'edge-1');
    const { certificate } = await attestWith(service, device, GOOD, { keys: firstKeys(device).keys });
    const pem = headerOf(certificate?.chain);
    const headers = { 'x-vouchsafe-client-cert': pem, 'x-forwarded-client-cert': `Cert="${pem}"` };
    const token = await proxyToken(server);
    for (const path of ['/v1/authorize', '/v1/envoy-authorize/app/page?x=1']) {
      assert.equal((await client.call('GET', path, { headers })).status, 401);
      assert.equal((await client.call('GET', path, { headers, token: 'x'.repeat(43) })).status, 401);
      assert.equal((await client.call('GET', path, { headers, token: adminToken })).status, 403);
      assert.equal((await client.call('GET', path, { headers, token })).status, 200);
    }
    assert.equal((await client.call('POST', '/v1/envoy-authorize/app', { headers, token })).status, 200);
    // A proxy that names none, while its caller has sent the header of another proxy.
    const { 'x-vouchsafe-client-cert': own, ...envoy } = headers;
    const answer = await client.call('GET', '/v1/authorize', { headers: envoy, token });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['x-vouchsafe-reason'], 'no_certificate');
    const nginx = { 'x-vouchsafe-client-cert': own };
    assert.equal((await client.call('GET', '/v1/envoy-authorize/app', { headers: nginx, token })).status, 401);
    // One of the same name and key, by another authority: it is not what was issued.
    const forged = encodeURIComponent(server.caCertificate);
    const unknown = await client.call('GET', '/v1/authorize', {
      token,
      headers: { 'x-vouchsafe-client-cert': forged },
    });
    assert.equal(unknown.headers['x-vouchsafe-reason'], 'certificate_unknown');
    assert.equal(unknown.status, 401);
    // The proxy's token opens nothing else.
    assert.equal((await client.call('GET', '/v1/devices/edge-1/certificates', { token })).status, 403);
  });

  test(`${name}: what a device has ends with its trust, its life or an operator's word`, requirement, async (t) => {
    let nowMs = Date.now();
    const server = await start(t, { now: () => nowMs });
    const { service, client, adminToken } = server;
    const device = await enrolTestDevice(service, 'edge-1');
    const token = await proxyToken(server);
    let { certificate } = await attestWith(service, device, GOOD, { keys: firstKeys(device).keys });
    const reason = async (): Promise<unknown> => {
      const headers = { 'x-vouchsafe-client-cert': headerOf(certificate?.chain) };
      const answer = await client.call('GET', '/v1/authorize', { token, headers });
      return answer.headers['x-vouchsafe-reason'] ?? answer.status;
    };
    assert.equal(await reason(), 200);
    const revoke = await client.call('POST', '/v1/devices/edge-1/certificates/revoke', { token: adminToken });
    assert.deepEqual(revoke.body, { revoked: 1 });
    assert.equal(await reason(), 'certificate_revoked');
    ({ certificate } = await attestWith(service, device, GOOD));
    assert.equal(await reason(), 200);
    nowMs += 3_660_000;
    assert.equal(await reason(), 'device_stale');
    ({ certificate } = await attestWith(service, device, GOOD));
    const row = await service.store.read.devices.find('edge-1');
    await service.store.write((tx) => tx.devices.update('edge-1', row?.revision ?? 0, { life: 'quarantined' }));
    assert.equal(await reason(), 'device_quarantined');
  });

  test(`${name}: instances share keys, and a wrong key for them stops the start`, requirement, async (t) => {
    const databaseUrl = await open();
    if (databaseUrl === undefined) return;
    const one = await startTestServer(t, { databaseUrl });
    const two = startTestServer(t, { databaseUrl });
    await assert.rejects(two, { code: 'secret_key_wrong' });
    const source = { kind: 'file', path: `${one.stateDir}/secrets.key` } as const;
    const third = await startTestServer(t, { databaseUrl, grants: { secretKey: source } });
    for (const path of ['/v1/jwks.json', '/v1/authorities/client.pem', '/v1/authorities/attestation.pem']) {
      const [a, b] = [await one.client.call('GET', path), await third.client.call('GET', path)];
      assert.equal(a.status, 200);
      assert.deepEqual(a.body, b.body);
    }
  });
}

/** DER, by the route of PEM: the test's client reads text. */
async function list({ client }: TestServer): Promise<Uint8Array> {
  const { status, body, headers } = await client.call('GET', '/v1/crl.pem');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/x-pem-file');
  return parsePem(body, 'X509 CRL')[0]?.bytes ?? new Uint8Array();
}
