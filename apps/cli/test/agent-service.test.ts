// SPDX-License-Identifier: Apache-2.0
// The agent and the service, as they are: a software TPM that was booted by a log, and a service over TLS.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { manufactureSwtpm, needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { logOf, madeImage, measure } from './made-boot.ts';
import { startTestService } from './service-support.ts';

const NEEDS = needsTool('openssl', 'swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool');
const PERMIT = 'permit (principal, action, resource);';

test(
  'a machine joins the service by a token, is judged by the manifest of its image, and gets nothing while it is not trusted',
  NEEDS,
  async (t) => {
    const dir = tempDir(t);
    const service = await startTestService(dir);
    t.after(() => service.close());
    const machine = join(dir, 'machine');
    mkdirSync(machine);
    manufactureSwtpm(machine);
    const swtpm = await startSwtpm(t, machine);
    const boot = madeImage(dir);
    await measure(swtpm.path, boot);
    const put = (path: string, contents: Uint8Array | string): void => {
      mkdirSync(dirname(join(machine, 'root', path)), { recursive: true });
      writeFileSync(join(machine, 'root', path), contents);
    };
    put('sys/kernel/security/tpm0/binary_bios_measurements', logOf(boot));
    put('proc/sys/kernel/random/boot_id', '11111111-2222-4333-8444-555555555555\n');
    const options = [
      '--state',
      join(machine, 'state'),
      '--tpm',
      `swtpm:${swtpm.path}`,
      '--root',
      join(machine, 'root'),
    ];
    const agent = (verb: string, ...args: string[]) => service.run('agent', verb, ...args, ...options);
    const { url, ca, token: adminToken } = JSON.parse(readFileSync(service.admin, 'utf8'));
    const operator = (method: string, path: string, body: unknown): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' };
        const sent = request(`${url}${path}`, { method, ca, headers }, (response) => {
          response.resume().once('end', () => resolve(response.statusCode ?? 0));
        });
        sent.once('error', reject).end(JSON.stringify(body));
      });

    const token = (await service.run('token', 'create', '--device', 'web-1')).stdout.trim();
    // Nobody is trusted as a maker yet.
    const unknown = await agent('enroll', token);
    assert.equal(unknown.code, 1, unknown.stderr);
    assert.match(unknown.stderr, /endorsement_refused/);
    for (const name of ['swtpm-localca-rootca-cert.pem', 'issuer.pem']) {
      const trusted = await service.run('trust', 'add', '--for', 'tpm-maker', join(machine, 'ca', name));
      assert.equal(trusted.code, 0, trusted.stderr);
    }
    const enrolled = await agent('enroll', token, '--json');
    assert.equal(enrolled.code, 0, enrolled.stderr);
    assert.equal(JSON.parse(enrolled.stdout).deviceId, 'web-1');

    // The image is known, and it was booted without Secure Boot: nothing is granted.
    const signer = await service.run('trust', 'add', '--for', 'manifest-signer', 'keys/manifest.crt');
    assert.equal(signer.code, 0, signer.stderr);
    const envelope = readFileSync(join(dir, 'edge.json')).toString('base64url');
    assert.equal(await operator('POST', '/v1/references', { envelope, life: 'active' }), 201);
    const first = await agent('attest', '--json');
    assert.equal(first.code, 1, first.stderr);
    const { verdict } = JSON.parse(first.stdout);
    assert.deepEqual(
      [verdict.status, verdict.isTrusted, verdict.image],
      ['contraindicated', false, { name: 'edge', version: '1.4.0' }],
      first.stdout,
    );
    const codes = verdict.findings.map(({ code }: { code: string }) => code);
    assert.ok(codes.includes('secure_boot_off') && codes.includes('firmware_unknown'), codes.join());
    assert.equal((await agent('cert')).code, 1);
    const secret = { value: Buffer.from('the key of the disk').toString('base64url'), policy: PERMIT };
    assert.equal(await operator('PUT', '/v1/secrets/disk', secret), 200);
    assert.equal((await agent('secret', 'disk')).code, 1);

    // Whoever asks again is judged again, over a challenge of its own.
    assert.equal((await agent('attest')).code, 1);

    // The state folder alone, without the TPM, is of no use: the same machine with another TPM.
    const other = join(dir, 'other');
    mkdirSync(other);
    manufactureSwtpm(other);
    const stranger = await startSwtpm(t, other);
    const moved = await service.run('agent', 'attest', ...options.with(3, `swtpm:${stranger.path}`), '--json');
    assert.equal(JSON.parse(moved.stdout).error.code, 'tpm_changed');
  },
);
