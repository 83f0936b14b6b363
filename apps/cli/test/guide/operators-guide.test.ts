// SPDX-License-Identifier: Apache-2.0
// The operator's guide, typed line by line into an empty folder: each command of its blocks works as it is written there, in
// its order, at a service and with a machine that has a TPM. What the guide has the reader fill in is filled in here.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Signer } from '@vouchsafe/pki';
import { parseBase64url } from '@vouchsafe/protocol';
import { type MadeBoot, signedManifest } from '@vouchsafe/server/test-support/made-boot';
import { needsTool } from '@vouchsafe/testing';
import { GuidePage } from './guide-page.ts';
import { type GuideScene, openGuideScene, readText } from './guide-scene.ts';

const tools = needsTool('openssl', 'curl', 'swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool');
const page = new GuidePage('docs/tasks/run-the-service.md');
const NEXT: MadeBoot = { kernel: 'the next UKI' };

describe("the operator's guide", tools, () => {
  const cleanups: (() => Promise<void> | void)[] = [];
  let scene: GuideScene;
  before(async () => {
    if (tools.skip !== undefined) return;
    // A webhook may go somewhere only when the service is started so.
    const serve = `${page.command('vouchsafe serve')} --webhook-allow 192.0.2.0/24 --join token,inventory,approval`;
    scene = await openGuideScene({ after: (fn) => void cleanups.push(fn) }, serve);
    does('systemctl start vouchsafe');
  });
  after(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  });

  const does = (line: string, code = 0): string => {
    const outcome = scene.type(line);
    assert.equal(outcome.code, code, `${line}\n${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout;
  };
  const at = (name: string): string => join(scene.folder, name);
  const writeManifest = async (version: string, boot: MadeBoot = {}): Promise<void> => {
    const envelope = await signedManifest(manifestSigner(at('keys/manifest.key')), version, boot);
    writeFileSync(at(`edge_${version}.manifest.json`), parseBase64url(envelope));
  };
  const digestIn = (text: string): string => /[0-9a-f]{64}/.exec(text)?.[0] ?? assert.fail(`no digest in ${text}`);
  const first = (json: string) => JSON.parse(json)[0];

  test('the unit is one that systemd takes', needsTool('systemd-analyze'), () => {
    // They change the host, and start what systemd runs.
    for (const ofHost of ['useradd', 'mkdir', 'install', 'export']) page.command(ofHost);
    const unit = readText(fileURLToPath(new URL('../../../server/systemd/vouchsafe.service', import.meta.url)));
    writeFileSync(at('vouchsafe.service'), unit.replace('/opt/vouchsafe/vouchsafe', '/bin/true'));
    does('systemd-analyze verify ./vouchsafe.service && rm vouchsafe.service');
  });

  test('the first hour: from nothing to a machine that is trusted', async () => {
    const makers = scene.makers.map((path) => readText(path));
    writeFileSync(at('tpm-makers.pem'), makers.join(''));
    does(page.command('vouchsafe keys generate keys'));
    await writeManifest('1.4.0');
    does(page.command('vouchsafe trust add --for tpm-maker'));
    does(page.command('vouchsafe trust add --for manifest-signer'));
    does(page.command('vouchsafe reference add edge_1.4.0'));
    const token = does(page.command('vouchsafe token create --device web-1')).trim();
    await scene.boot();
    does(page.inText('vouchsafe agent enroll TOKEN').replace('TOKEN', token));
    const refused = does(page.inText('vouchsafe agent attest'), 1);
    assert.match(refused, /firmware_unknown/);
    const shown = does(page.command('vouchsafe device show web-1'));
    assert.match(shown, /firmware_unknown/);
    assert.match(shown, /baseline/, 'what would mend it');
    const learned = digestIn(does(page.command('vouchsafe baseline learn web-1')));
    does(page.command('vouchsafe baseline approve SHA256').replace('SHA256', learned));
    does(page.command('vouchsafe device pin web-1'));
    does('vouchsafe agent attest');
    does(page.inText('vouchsafe operator create anna --role operator -o anna.json'));
    assert.match(does('vouchsafe device list --service anna.json'), /web-1 +trusted +edge 1\.4\.0/);
  });

  test('the trust store: what counts for what, many at once, and one less', () => {
    assert.match(
      does(page.inText('vouchsafe trust list')),
      /tpm-maker[\s\S]*manifest-signer|manifest-signer[\s\S]*tpm-maker/,
    );
    does('vouchsafe keys generate others && mkdir FOLDER && cp others/*.crt FOLDER');
    const [other] = JSON.parse(does(`${page.inText('trust import FOLDER --for tpm-maker')} --json`));
    does(page.inText('trust remove SHA256').replace('SHA256', other.sha256));
  });

  test('an image is rolled out, and no machine goes back to the one before', async () => {
    const old = first(does('vouchsafe reference list --json')).sha256;
    await writeManifest('1.5.0', NEXT);
    does(page.command('vouchsafe reference add edge_1.5.0'));
    does(page.command('vouchsafe reference retire OLD_SHA256').replace('OLD_SHA256', old));
    await scene.boot(NEXT);
    does('vouchsafe agent attest');
    assert.match(does(page.command('vouchsafe device list')), /web-1 +trusted +edge 1\.5\.0/);
    does(page.command('vouchsafe reference floor edge 1.5.0'));
    await scene.boot();
    assert.match(does('vouchsafe agent attest', 1), /image_too_old|image_below_floor|floor/);
    await scene.boot(NEXT);
    does('vouchsafe agent attest');
    does(page.inText('reference revoke SHA256').replace('SHA256', old));
  });

  test('a machine that fails: what was found, its log, and each way on', async () => {
    await scene.boot({ kernel: 'a kernel of somebody’s own' });
    does('vouchsafe agent attest', 1);
    const shown = does(page.inText('vouchsafe device show DEVICE --history').replace('DEVICE', 'web-1'));
    assert.match(shown, /image_unknown/);
    does(page.inText('vouchsafe device log DEVICE -o boot.log').replace('DEVICE', 'web-1'));
    does('vouchsafe log show boot.log');
    const explained = does(
      'vouchsafe log explain boot.log --manifest edge_1.5.0.manifest.json --key keys/manifest.pub',
      1,
    );
    assert.match(explained, /^! PCR +4 /m);
    await scene.boot(NEXT);
    does('vouchsafe agent attest');
    does(page.command('vouchsafe device quarantine web-1'));
    does('vouchsafe agent attest', 1);
    does(`${page.inText('vouchsafe device approve')} web-1`);
    does(page.command('vouchsafe device clear web-1'));
    does('vouchsafe agent attest');
    does(page.command('vouchsafe device reset web-1'));
    const token = does('vouchsafe token create --device web-1').trim();
    does(`vouchsafe agent enroll --force ${token}`);
    does('vouchsafe agent attest');
  });

  test('policies, secrets and webhooks', () => {
    writeFileSync(at('trust.cedar'), does('vouchsafe policy show'));
    writeFileSync(at('disk.key'), 'the key of the disk');
    writeFileSync(at('disk-key.cedar'), 'permit (principal, action, resource);\n');
    does(page.command('vouchsafe policy set trust'));
    does(page.command('vouchsafe policy activate trust 1'));
    does('vouchsafe agent attest');
    does(page.command('vouchsafe secret put disk-key'));
    assert.equal(does('vouchsafe agent secret disk-key'), 'the key of the disk');
    // A name that is nobody's: an address of documentation in its place.
    does(page.command('vouchsafe webhook add').replace('hooks.example', '192.0.2.7'));
  });

  test('a proxy is let in to ask, and a secret is stored, without the command', () => {
    const grantPage = new GuidePage('docs/tasks/grant-access.md');
    const { url, token } = JSON.parse(readText(at('vouchsafe-state/admin.json')));
    writeFileSync(at('service-ca.pem'), readText(at('vouchsafe-state/tls/ca.pem')));
    const names = { 'https://vouchsafe.example:8443': url, '/etc/vouchsafe/': '', 'curl ': 'curl -sSf ' };
    const answer = does(`ADMIN_TOKEN=${token}; ${grantPage.block('/v1/authorities/client.pem', names)}`);
    assert.match(readText(at('client-ca.pem')), /^-----BEGIN CERTIFICATE-----/);
    const proxy = JSON.parse(answer);
    assert.deepEqual([proxy.name, proxy.role], ['nginx-1', 'proxy']);
    does(`ADMIN_TOKEN=${token}; ${grantPage.block('/v1/secrets/disk', { ...names, 'edge-1': 'web-1' })}`);
    assert.equal(does('vouchsafe agent secret disk'), 'the key of the disk');
    does(`${page.inText('vouchsafe inventory add')} web-2 client-ca.pem`);
  });

  test('the agent as one file, with a token from its input', () => {
    const agentPage = new GuidePage('docs/tasks/run-the-agent.md');
    does(agentPage.command('vouchsafe agent bundle'));
    does('vouchsafe device reset web-1');
    does('vouchsafe token create --device web-1 > token');
    does(`${agentPage.command('vouchsafe agent enroll -').replace('enroll -', 'enroll --force -')}`);
    does(agentPage.command('vouchsafe agent attest'));
    const subject = does('node --jitless vouchsafe-agent.cjs cert | openssl x509 -noout -subject');
    assert.match(subject, /CN ?= ?web-1/);
  });

  test('the record holds, here and elsewhere', () => {
    does('vouchsafe audit verify');
    does(page.command('vouchsafe audit prove web-1'));
    does(page.command('vouchsafe audit export'));
    renameSync(at('vouchsafe-state/audit-head.json'), at('audit-head.json'));
    does(page.command('vouchsafe audit verify audit.jsonl'));
    does(page.command('vouchsafe audit verify'));
  });

  test('a backup brings the service back as it was, and the record says what is gone', () => {
    const state = (line: string): string => line.replaceAll('/var/lib/vouchsafe', 'vouchsafe-state');
    does(state(page.command('systemctl stop vouchsafe && cp')));
    does('vouchsafe agent attest');
    does('vouchsafe operator create berta -o berta.json');
    does('vouchsafe audit verify --head audit-head.json');
    does(state(page.command('systemctl stop vouchsafe && rm')));
    does('vouchsafe token list --service berta.json', 3);
    does('vouchsafe agent attest');
    assert.match(does('vouchsafe audit verify --head audit-head.json', 1), /audit_removed/);
    rmSync(at('audit-head.json'));
    does('vouchsafe audit verify --head audit-head.json');
  });

  test('a version that is older than its database does not start, and leaves it as it is', () => {
    does('systemctl stop vouchsafe');
    const change = (statement: string): void => {
      const database = new DatabaseSync(at('vouchsafe-state/vouchsafe.db'));
      database.exec(statement);
      database.close();
    };
    change("insert into migrations (id, applied_at_ms) values ('of a later version', 0)");
    const { code, stderr } = scene.type('systemctl start vouchsafe');
    assert.notEqual(code, 0);
    assert.match(stderr, /of a later version, which this version does not know/);
    change("delete from migrations where id = 'of a later version'");
    does('systemctl start vouchsafe');
    does('vouchsafe agent attest');
  });

  test('a machine that is gone, and comes back by approval', () => {
    does(page.command('vouchsafe device remove web-1'));
    const { url } = JSON.parse(readText(at('vouchsafe-state/admin.json')));
    writeFileSync(at('ca.pem'), readText(at('vouchsafe-state/tls/ca.pem')));
    const agentPage = new GuidePage('docs/tasks/run-the-agent.md');
    const inventory = agentPage.inText('agent enroll --url https://HOST:PORT --ca ca.pem --inventory');
    agentPage.inText('--approval');
    const byApproval = inventory.replace('https://HOST:PORT', url).replace('--inventory', '--approval');
    assert.equal(does(`${byApproval} --force`, 1), '');
    const waiting = JSON.parse(does(`${page.inText('device list --waiting')} --json`));
    assert.equal(waiting.length, 1);
    does(`${page.inText('vouchsafe device approve')} ${waiting[0].deviceId}`);
    does(byApproval);
    does('vouchsafe agent attest');
  });

  test('nothing that the guide tells to type was left out', () => {
    assert.deepEqual(page.left, []);
  });
});

function manifestSigner(path: string): Signer {
  const key = createPrivateKey(readFileSync(path));
  return {
    input: 'message',
    scheme: { kind: 'ed25519' },
    spki: Uint8Array.from(createPublicKey(key).export({ format: 'der', type: 'spki' })),
    signMessage: async (message) => Uint8Array.from(sign(null, message, key)),
  };
}
