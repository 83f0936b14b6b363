// SPDX-License-Identifier: Apache-2.0
// Every verb of an operator on a service that runs, with machines whose TPM is simulated: from the first day to a roll-out, a
// failed machine, and an audit log that somebody changed.
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signer } from '@vouchsafe/pki';
import { parseBase64url, parseJoinToken } from '@vouchsafe/protocol';
import { type Client, createClient } from '@vouchsafe/server/test-support/client';
import { Machine } from '@vouchsafe/server/test-support/machine';
import { logOf, type MadeBoot, signedManifest } from '@vouchsafe/server/test-support/made-boot';
import { newTpmMaker, SimulatedTpm } from '@vouchsafe/server/test-support/simulated-tpm';
import { tempDir } from '@vouchsafe/testing';
import { startTestService, type TestService } from './service-support.ts';
import { vouchsafe } from './support.ts';

/** The key that `keys generate` makes for manifests. */
function manifestSigner(path: string): Signer {
  const key = createPrivateKey(readFileSync(path));
  return {
    input: 'message',
    scheme: { kind: 'ed25519' },
    spki: Uint8Array.from(createPublicKey(key).export({ format: 'der', type: 'spki' })),
    signMessage: async (message) => Uint8Array.from(sign(null, message, key)),
  };
}

const FOR_TRUSTED = 'permit (principal, action, resource);';

describe('an operator', () => {
  const cleanups: (() => void)[] = [];
  let dir: string;
  let service: TestService;
  let client: Client;
  let maker: Awaited<ReturnType<typeof newTpmMaker>>;

  before(async () => {
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    service = await startTestService(dir);
    const { url, ca } = JSON.parse(readFileSync(service.admin, 'utf8'));
    client = createClient(url, { ca });
    maker = await newTpmMaker();
    writeFileSync(join(dir, 'makers.der'), maker.certificate.bytes);
    assert.equal(vouchsafe(dir, 'keys', 'generate', 'keys').code, 0);
    await json('trust', 'add', '--for', 'tpm-maker', 'makers.der');
    await json('trust', 'add', '--for', 'manifest-signer', 'keys/manifest.crt');
  });
  after(async () => {
    client.close();
    await service.close();
    for (const cleanup of cleanups) cleanup();
  });

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await service.run(...args, '--json');
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const shown = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await service.run(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await service.run(...args);
    assert.equal(code, 3, stderr);
    return stderr;
  };
  /** Enrolled with a token that the command made. */
  const machine = async (id: string): Promise<Machine> => {
    const made = new Machine(client, await SimulatedTpm.make(maker));
    const { text } = await json('token', 'create', '--device', id);
    const answer = await made.enrol({ kind: 'token', token: parseJoinToken(text).token });
    assert.equal(answer.body.state, 'enrolled');
    return made;
  };
  const isTrusted = async (one: Machine): Promise<boolean> => {
    const { status, body } = await one.attest();
    assert.equal(status, 200, JSON.stringify(body));
    return body.verdict.isTrusted;
  };
  const writeManifest = async (version: string, boot: MadeBoot = {}): Promise<string> => {
    const path = `edge_${version}.manifest.json`;
    const envelope = await signedManifest(manifestSigner(join(dir, 'keys/manifest.key')), version, boot);
    writeFileSync(join(dir, path), parseBase64url(envelope));
    return path;
  };
  /** Its image added and active, its firmware learned and approved, as far as they are not yet. */
  const good = async (id: string): Promise<Machine> => {
    const made = await machine(id);
    if (await isTrusted(made)) return made;
    if ((await json('reference', 'list')).length === 0) {
      await json('reference', 'add', await writeManifest('1.4.0'), '--activate');
    }
    if (!(await isTrusted(made))) {
      const { sha256 } = await json('baseline', 'learn', id);
      await json('baseline', 'approve', sha256);
    }
    assert.equal(await isTrusted(made), true);
    return made;
  };

  test('brings a first machine from unknown to trusted: image, firmware, and what is wrong until then', async () => {
    const made = await machine('web-1');
    assert.match(await shown('device', 'list'), /web-1 +unknown/);
    assert.equal(await isTrusted(made), false);
    assert.match(await shown('device', 'show', 'web-1'), /not trusted \(contraindicated\)[\s\S]*firmware_unknown/);
    const path = await writeManifest('1.4.0');
    const [candidate] = await json('reference', 'add', path);
    assert.equal(candidate.life, 'candidate');
    assert.equal((await json('reference', 'activate', candidate.sha256)).state, 'active');
    assert.match(await shown('reference', 'list'), /edge +1\.4\.0 +active/);
    const learned = await json('baseline', 'learn', 'web-1', '--name', 'rack', '--vendor', 'V', '--model', 'M');
    assert.deepEqual([learned.life, learned.learnedFrom, learned.name], ['candidate', 'web-1', 'rack']);
    assert.equal(await isTrusted(made), false, 'what was learned does not count before it is approved');
    await json('baseline', 'approve', learned.sha256);
    assert.match(await shown('baseline', 'list'), /rack +active/);
    assert.equal(await isTrusted(made), true);
    assert.match(await shown('device', 'list'), /web-1 +trusted +edge 1\.4\.0/);
    const history = await shown('device', 'show', 'web-1', '--history');
    assert.match(history, /web-1: trusted[\s\S]*\ntrusted \([\s\S]*\nnot trusted \(/);
    const written = await json('device', 'log', 'web-1', '-o', 'web-1.log');
    assert.deepEqual(new Uint8Array(readFileSync(join(dir, 'web-1.log'))), logOf(made.events));
    assert.equal(written.sizeBytes, logOf(made.events).length);
    assert.match(await refused('device', 'log', 'web-1', '-o', 'web-1.log'), /--force/);
    assert.equal(vouchsafe(dir, 'log', 'show', 'web-1.log').code, 0);
    // Its PCR 15 is vouched for: nothing was measured there, and that holds.
    assert.equal((await json('device', 'pin', 'web-1')).state, 'pinned');
    assert.equal(await isTrusted(made), true);
    await json('baseline', 'revoke', learned.sha256);
    assert.equal(await isTrusted(made), false);
    await json('baseline', 'approve', learned.sha256);
    await json('device', 'clear', 'web-1');
    assert.equal(await isTrusted(made), true);
  });

  test('firmware that a vendor tells of, or systemd-pcrlock, is a baseline once it is approved', async () => {
    const made = await machine('import-1');
    const path = await writeManifest('1.4.0');
    if (!(await shown('reference', 'list')).includes('edge')) await json('reference', 'add', path, '--activate');
    made.boot({ firmware: 'firmware of the vendor' });
    assert.equal(await isTrusted(made), false);
    writeFileSync(join(dir, 'vendor.rimel'), logOf(made.events));
    const vendor = await json('baseline', 'import', 'vendor.rimel', '--model', 'R7');
    assert.deepEqual([vendor.life, vendor.name, vendor.model], ['candidate', 'vendor.rimel', 'R7']);
    assert.equal(vendor.firmwareVersion, 'firmware of the vendor');
    assert.match(await refused('baseline', 'import', 'vendor.rimel', '--model', 'R7'), /conflict/);
    assert.equal(await isTrusted(made), false, 'it does not count before it is approved');
    await json('baseline', 'approve', vendor.sha256);
    made.boot({ firmware: 'firmware of the vendor' });
    assert.equal(await isTrusted(made), true);
    await json('baseline', 'revoke', vendor.sha256);

    // The same as components: code in one file, the settings of another machine beside this one's.
    const records = (pcrs: readonly number[], change = ''): string =>
      JSON.stringify({
        records: made.events
          .filter(({ pcr }) => pcrs.includes(pcr))
          .map(({ pcr, data }) => ({
            pcr,
            digests: [{ hashAlg: 'sha256', digest: createHash('sha256').update(data).update(change).digest('hex') }],
          })),
      });
    writeFileSync(join(dir, '250-firmware-code.pcrlock'), records([0, 2, 3, 6]));
    mkdirSync(join(dir, '250-firmware-config.pcrlock.d'));
    writeFileSync(join(dir, '250-firmware-config.pcrlock.d', 'a.pcrlock'), records([1]));
    writeFileSync(join(dir, '250-firmware-config.pcrlock.d', 'b.pcrlock'), records([1], 'other settings'));
    const files = ['250-firmware-code.pcrlock', '250-firmware-config.pcrlock.d'];
    const locked = await json('baseline', 'import', ...files, '--name', 'locked');
    await json('baseline', 'approve', locked.sha256);
    made.boot({ firmware: 'firmware of the vendor' });
    assert.equal(await isTrusted(made), true);
    await json('baseline', 'revoke', locked.sha256);

    writeFileSync(join(dir, 'bad.rimel'), logOf(made.events).subarray(0, 100));
    assert.match(await refused('baseline', 'import', 'bad.rimel'), /reference_malformed/);
    writeFileSync(join(dir, 'bad.pcrlock'), '{}');
    assert.match(await refused('baseline', 'import', 'bad.pcrlock'), /reference_malformed/);
    assert.equal((await service.run('baseline', 'import', 'bad.pcrlock', 'bad.rimel')).code, 2);
    assert.match(await refused('baseline', 'import', 'none.pcrlock.d'), /none\.pcrlock\.d/);
  });

  test('rolls out a new image: a window for the old one, a floor, and the end of one that is bad', async () => {
    const made = await good('roll-1');
    const old = (await json('reference', 'list')).find(({ version }: { version: string }) => version === '1.4.0');
    const next = await writeManifest('1.5.0', { kernel: 'the next UKI' });
    const [added] = await json('reference', 'add', next, '--activate');
    assert.equal(added.life, 'active');
    const retired = await json('reference', 'retire', old.sha256, '--in', '14d');
    assert.ok(retired.retiresAtMs > Date.now());
    assert.match(await shown('reference', 'list'), /edge +1\.4\.0 +retiring +\d{4}-/);
    assert.equal(await isTrusted(made), true, 'in the window');
    made.boot({ kernel: 'the next UKI' });
    assert.equal(await isTrusted(made), true);
    assert.deepEqual(await json('reference', 'floor', 'edge', '1.5.0'), [{ image: 'edge', version: '1.5.0' }]);
    made.boot();
    assert.equal(await isTrusted(made), false, 'an image below the floor');
    await json('reference', 'floor', 'edge', '1.4.0');
    assert.match(await shown('reference', 'floor'), /edge +1\.4\.0/);
    await json('reference', 'revoke', added.sha256);
    made.boot({ kernel: 'the next UKI' });
    assert.equal(await isTrusted(made), false);
    assert.match(await refused('reference', 'activate', '00'.repeat(32)), /not_found/);
    assert.equal((await service.run('reference', 'retire', old.sha256)).code, 2);
    // For the tests that follow: they boot the first image.
    await json('reference', 'activate', old.sha256);
  });

  test('shuts out, lets in, resets and forgets machines', async () => {
    const made = await good('web-3');
    assert.equal((await json('device', 'quarantine', 'web-3')).state, 'quarantined');
    assert.match(await shown('device', 'list'), /web-3 +quarantined/);
    await assert.rejects(made.attest(), /device_quarantined/);
    await json('device', 'approve', 'web-3');
    assert.equal(await isTrusted(made), true);
    made.boot({ firmware: 'another' });
    assert.equal(await isTrusted(made), false);
    await json('device', 'clear', 'web-3');
    made.boot();
    assert.equal(await isTrusted(made), true);
    // After a reset the same TPM enrols with another attestation key, and not before.
    made.tpm.newAttestationKey();
    const again = async (): Promise<unknown> => {
      const { text } = await json('token', 'create', '--device', 'web-3');
      return (await made.enrol({ kind: 'token', token: parseJoinToken(text).token })).body;
    };
    assert.notEqual(((await again()) as { state?: string }).state, 'enrolled');
    await json('device', 'reset', 'web-3');
    assert.equal(((await again()) as { state?: string }).state, 'enrolled');
    const certificates: object[] = await json('device', 'certificates', 'web-3');
    assert.deepEqual(
      certificates.map((one) => 'revokedAtMs' in one).toSorted(),
      [false, true],
      'the new key has one, too',
    );
    assert.equal(typeof (await json('device', 'revoke', 'web-3')).revoked, 'number');
    await json('device', 'remove', 'web-3');
    assert.match(await refused('device', 'show', 'web-3'), /not_found/);
    // One that waits: it has proved its TPM, and nobody has named it.
    const waiting = new Machine(client, await SimulatedTpm.make(maker));
    await waiting.enrol({ kind: 'approval' }, 'web-4');
    assert.match(await shown('device', 'list', '--waiting'), /web-4/);
    await json('device', 'approve', 'web-4');
    assert.equal(await shown('device', 'list', '--waiting'), 'no machine waits\n');
  });

  test('gives a policy versions, shows them and goes back', async () => {
    const made = await good('web-5');
    writeFileSync(join(dir, 'nobody.cedar'), 'forbid (principal, action, resource);');
    assert.equal((await json('policy', 'set', 'trust', 'nobody.cedar', '--draft')).isActive, false);
    assert.equal(await isTrusted(made), true);
    assert.equal(await shown('policy', 'activate', 'trust', '1'), 'trust: version 1 decides now\n');
    assert.equal(await isTrusted(made), false);
    assert.match(await shown('policy', 'list'), /trust +1 +active/);
    assert.match(await shown('policy', 'show', 'trust'), /^forbid/);
    assert.match(await shown('policy', 'show', 'trust', '--version', '0'), /permit/);
    await json('policy', 'activate', 'trust', '0');
    await json('device', 'clear', 'web-5');
    assert.equal(await isTrusted(made), true);
    assert.match(await refused('policy', 'activate', 'trust', '9'), /not_found/);
    writeFileSync(join(dir, 'broken.cedar'), 'permit (');
    assert.match(await refused('policy', 'set', 'trust', 'broken.cedar'), /policy_malformed/);
  });

  test('keeps secrets that are never shown', async () => {
    const value = 'the very secret of the disk';
    writeFileSync(join(dir, 'disk.key'), value);
    writeFileSync(join(dir, 'disk.cedar'), FOR_TRUSTED);
    assert.match(await refused('secret', 'put', 'disk-key', 'disk.key'), /policy_malformed/);
    const outputs = [
      await shown('secret', 'put', 'disk-key', 'disk.key', '--policy', 'disk.cedar'),
      await shown('secret', 'put', 'disk-key', 'disk.key'),
      await shown('secret', 'show', 'disk-key'),
      await shown('secret', 'list'),
      JSON.stringify(await json('secret', 'show', 'disk-key')),
    ];
    assert.match(outputs[2] ?? '', /2 +\d{4}-[\s\S]*permit \(principal/);
    assert.match(outputs[3] ?? '', /disk-key +2/);
    for (const form of [value, Buffer.from(value).toString('base64url'), Buffer.from(value).toString('base64')]) {
      assert.ok(!outputs.some((text) => text.includes(form)));
    }
    writeFileSync(join(dir, 'empty.key'), '');
    assert.match(await refused('secret', 'put', 'disk-key', 'empty.key'), /found nothing/);
    assert.equal((await json('secret', 'delete', 'disk-key')).state, 'deleted');
    assert.equal(await shown('secret', 'list'), 'no secrets yet; see secret put\n');
  });

  test('has somebody told of what happens', async () => {
    const got: string[] = [];
    const receiver = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => got.push(chunk.toString()));
      request.on('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const made = await json('webhook', 'add', url, '--kinds', 'token.create,token.revoke');
    assert.match(made.secret, /^whsec_/);
    await json('token', 'create', '--label', 'heard of');
    for (let i = 0; got.length === 0; i++) {
      assert.ok(i < 400, 'nobody was told');
      await sleep(25);
    }
    assert.match(got.join(''), /heard of/);
    const listed = await service.run('webhook', 'list', '--json');
    assert.ok(!listed.stdout.includes(made.secret));
    assert.match(await shown('webhook', 'list'), /token\.create token\.revoke/);
    assert.equal((await json('webhook', 'remove', made.id)).state, 'removed');
    assert.equal((await service.run('webhook', 'list')).stdout, 'no webhooks; see webhook add\n');
    receiver.close();
    assert.match(await refused('webhook', 'add', 'http://10.9.9.9/'), /address_refused/);
  });

  test('sees that the record is whole, and sees it when somebody with the database rewrote it', async () => {
    await json('token', 'create', '--label', 'to be hidden');
    // Heads are signed a moment after.
    for (let i = 0, covered = ''; !covered.includes('to be hidden'); i++) {
      assert.ok(i < 200, 'the entry is under no head');
      covered = await shown('audit', 'export', '-o', '-');
    }
    const first = await json('audit', 'verify');
    assert.deepEqual([first.holds, first.isFirst, first.findings], [true, true, []]);
    assert.ok(existsSync(join(dir, 'audit-head.json')), 'beside the file of --service');
    await json('token', 'create');
    assert.match(await shown('audit', 'verify'), /^holds: [\s\S]*nothing that was there at the last check/);
    assert.ok(first.verdicts.held >= 3 && first.verdicts.areChecked, 'those of the machines before');
    assert.match(await shown('audit', 'verify', '--skip-verdicts'), /\d+ verdicts were not looked at/);
    // A verdict of its own.
    const proved = await json('audit', 'prove', 'web-1');
    assert.deepEqual([proved.holds, proved.verdict.device], [true, 'web-1']);
    const earlier = String(proved.verdict.atMs - 1);
    assert.match(await shown('audit', 'prove', 'web-1', '--at', earlier), /^holds: web-1 at .*\n {2}verdict 1 of 1/);
    assert.equal((await service.run('audit', 'prove', 'web-1', '--at', 'yesterday')).code, 2);
    assert.match(await refused('audit', 'prove', 'nobody'), /not_found/);
    const verdicts = new DatabaseSync(join(service.stateDir, 'vouchsafe.db'));
    verdicts.exec('update verdicts set is_trusted = 1 - is_trusted');
    for (const verb of [['prove', 'web-1'], ['verify']]) {
      const { code, stdout } = await service.run('audit', ...verb);
      assert.deepEqual([code, stdout.slice(0, 13)], [1, 'does not hold'], verb[0]);
    }
    verdicts.exec('update verdicts set is_trusted = 1 - is_trusted');
    verdicts.close();
    // Offline, by an auditor who was told the key.
    await json('audit', 'export', '-o', 'audit.jsonl');
    assert.match(await refused('audit', 'export', '-o', 'audit.jsonl'), /--force/);
    writeFileSync(join(dir, 'log.key'), `${first.key}\n`);
    const offline = ['audit', 'verify', 'audit.jsonl', '--head', 'elsewhere.json'];
    assert.equal((await service.run(...offline)).code, 2, 'nothing says which key');
    assert.equal((await json(...offline, '--key', 'log.key')).holds, true);
    const lines = readFileSync(join(dir, 'audit.jsonl'), 'utf8');
    writeFileSync(join(dir, 'audit.jsonl'), lines.replace('to be hidden', 'to be found.'));
    const changed = await service.run(...offline, '--json');
    assert.equal(changed.code, 1);
    assert.ok(JSON.parse(changed.stdout).findings.some(({ code }: { code: string }) => code === 'audit_altered'));
    assert.match(await refused('audit', 'export', '-o', 'more.jsonl', '--from', '999999'), /not_found/);
    assert.ok(!existsSync(join(dir, 'more.jsonl')));
    const before = readFileSync(join(dir, 'audit-head.json'), 'utf8');
    const database = new DatabaseSync(join(service.stateDir, 'vouchsafe.db'));
    database.exec("update audit_entries set leaf = replace(leaf, 'to be hidden', 'to be found.')");
    database.close();
    const rewritten = await service.run('audit', 'verify');
    assert.equal(rewritten.code, 1, rewritten.stderr);
    assert.match(rewritten.stdout, /^does not hold[\s\S]*audit_altered/);
    assert.equal(readFileSync(join(dir, 'audit-head.json'), 'utf8'), before, 'the last good head is kept');
  });
});
