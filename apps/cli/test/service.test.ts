// SPDX-License-Identifier: Apache-2.0
// What operators do, by the command, on a service that runs.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseJoinToken } from '@vouchsafe/protocol';
import { tempDir } from '@vouchsafe/testing';
import { startTestService, type TestService } from './service-support.ts';
import { vouchsafe } from './support.ts';

describe('operators', () => {
  const cleanups: (() => void)[] = [];
  let dir: string;
  let service: TestService;

  before(async () => {
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    service = await startTestService(dir);
  });
  after(async () => {
    await service.close();
    for (const cleanup of cleanups) cleanup();
  });

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await service.run(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };

  test('a token is made, listed without itself, and taken back', async () => {
    const made = await service.run('token', 'create', '--device', 'web-1', '--life', '2h', '--label', 'rack 4');
    assert.equal(made.code, 0, made.stderr);
    const { url } = parseJoinToken(made.stdout.trim());
    assert.ok(readFileSync(service.admin, 'utf8').includes(url));
    const [listed] = await json('token', 'list');
    assert.deepEqual([listed.deviceId, listed.label], ['web-1', 'rack 4']);
    assert.ok(!JSON.stringify(listed).includes(made.stdout.trim()));
    const shown = await service.run('token', 'list');
    assert.match(shown.stdout, /^ID +FOR +STATE/);
    assert.match(shown.stdout, /web-1 +until \d{4}-/);
    assert.equal((await json('token', 'revoke', listed.id)).state, 'revoked');
    assert.equal((await service.run('token', 'list')).stdout, 'no tokens\n');
    const again = await service.run('token', 'revoke', listed.id);
    assert.equal(again.code, 3);
    assert.match(again.stderr, /not_found/);
  });

  test('certificates are trusted for one thing, by file and by folder, and no longer', async () => {
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'keys').code, 0);
    const [added] = await json('trust', 'add', '--for', 'manifest-signer', 'keys/manifest.crt');
    assert.equal(added.role, 'manifest-signer');
    const folder = join(dir, 'makers');
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'makers').code, 0);
    copyFileSync(join(dir, 'keys/db.crt'), join(folder, 'again.pem'));
    writeFileSync(join(folder, 'broken.pem'), 'nothing');
    const imported = await service.run('trust', 'import', 'makers', '--for', 'tpm-maker', '--json');
    assert.equal(imported.code, 0, imported.stderr);
    assert.match(imported.stderr, /broken\.pem: passed over/);
    const makers = JSON.parse(imported.stdout) as { sha256: string; role: string }[];
    assert.ok(makers.length >= 4 && makers.every(({ role }) => role === 'tpm-maker'));
    assert.equal((await json('trust', 'list')).length, makers.length + 1);
    assert.equal((await json('trust', 'remove', added.sha256)).state, 'removed');
    assert.equal((await json('trust', 'list')).length, makers.length);
    const none = await service.run('trust', 'add', 'keys/manifest.crt');
    assert.equal(none.code, 2, 'what for is not said');
  });

  test('a machine is registered by its certificate', async () => {
    writeFileSync(join(dir, 'ek.der'), 'a certificate');
    const made = await json('inventory', 'add', 'web-2', 'ek.der');
    assert.deepEqual([made.deviceId, made.kind], ['web-2', 'ek-certificate']);
    assert.match((await service.run('inventory', 'list')).stdout, /web-2 +ek-certificate/);
    assert.equal((await json('inventory', 'remove', made.id)).state, 'removed');
  });

  test('another operator is let in by a file of their own, as what they are, and shut out', async () => {
    const made = await json('operator', 'create', 'anna', '--role', 'viewer', '-o', 'anna.json');
    assert.equal(made.token, undefined);
    const file = join(dir, 'anna.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const { token } = JSON.parse(readFileSync(file, 'utf8'));
    const as = (...args: string[]) => service.run(...args, '--service', file);
    assert.equal((await as('token', 'list')).code, 0);
    const refused = await as('token', 'create');
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /forbidden/);
    for (const { stdout, stderr } of [refused, await service.run('operator', 'list')]) {
      assert.ok(!`${stdout}${stderr}`.includes(token), 'a token is shown nowhere');
    }
    const kept = await service.run('operator', 'create', 'berta', '-o', 'anna.json');
    assert.equal(kept.code, 3);
    assert.equal((await json('operator', 'list')).length, 2, 'nobody is made whose token cannot be written');
    assert.equal((await json('operator', 'remove', made.id)).state, 'removed');
    assert.match((await as('token', 'list')).stderr, /unauthenticated/);
  });

  test('without a service, its file, or with one that is not it', async () => {
    const missing = await service.run('token', 'list', '--service', 'nowhere.json', '--json');
    assert.deepEqual([missing.code, JSON.parse(missing.stdout).error.code], [3, 'service_unknown']);
    const open = join(dir, 'open.json');
    copyFileSync(service.admin, open);
    chmodSync(open, 0o644);
    assert.match((await service.run('token', 'list', '--service', open)).stderr, /chmod 600/);
    const file = JSON.parse(readFileSync(service.admin, 'utf8'));
    const other = join(dir, 'other.json');
    writeFileSync(other, JSON.stringify({ ...file, url: 'https://127.0.0.1:9' }), { mode: 0o600 });
    const gone = await service.run('token', 'list', '--service', other, '--json');
    assert.equal(JSON.parse(gone.stdout).error.code, 'service_unreachable');
    assert.ok(existsSync(join(dir, 'keys/db.crt')));
    const forged = { ...file, ca: readFileSync(join(dir, 'keys/db.crt'), 'utf8') };
    writeFileSync(other, JSON.stringify(forged), { mode: 0o600 });
    const untrusted = await service.run('token', 'list', '--service', other, '--json');
    assert.equal(JSON.parse(untrusted.stdout).error.code, 'service_untrusted');
  });
});
