// SPDX-License-Identifier: Apache-2.0
// A real machine earns its certificate and a secret, and loses them: for falling silent, and for a program that is not its
// image's. The service, the operator's command, the agent, TPM and firmware are the ones that users have.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BootResult } from '@vouchsafe/lab';
import { decodeCertificates, decodeCrl } from '@vouchsafe/pki';
import { encodeBase64url } from '@vouchsafe/protocol';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { type Answer, codesOf, openScene, printed, type Scene, textOf } from './attest-scene.ts';

const tools = needsTool(
  ...['qemu-system-x86_64', 'swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool', 'dmsetup', 'busybox', 'dpkg'],
);
const DEVICE = 'edge-1';
const SECRET = 'the key of the disk';
const POLICY = `permit(principal == Machine::"${DEVICE}", action == Action::"release", resource);`;
const TRUST_MS = 35 * 60_000;
/** What the machine asks for once it is known. */
const ASKS = [
  'agent attest --json >attest.json; echo $? >attest.status',
  'agent secret disk-key >secret 2>secret.error; echo $? >secret.status',
];

const tokenOf = ({ bytes }: Answer): string => JSON.parse(Buffer.from(bytes).toString()).token;
/** What nginx has in $ssl_client_escaped_cert: the caller's own certificate, without its issuers. */
const leafOf = (chain: string): string => /^-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/.exec(chain)?.[0] ?? '';
const codeOf = ({ bytes }: Answer): string => JSON.parse(Buffer.from(bytes).toString()).code;

describe('a machine that attests', tools, () => {
  const cleanups: (() => void)[] = [];
  let scene: Scene;
  let aheadMs = 0;
  let good: BootResult | undefined;
  /** What a proxy is told of the machine's certificate, by when it asked. */
  const asked = new Map<string, Answer>();
  let replayed: Answer | undefined;
  let silent: { state: string } | undefined;

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    scene = await openScene(dir, { attestation: { trustMs: TRUST_MS }, now: () => Date.now() + aheadMs });
    const { operate, call } = scene;
    const image = scene.buildImage('1.2.0');
    await operate('reference', 'add', image.manifest, '--activate');
    await call('PUT', '/v1/secrets/disk-key', {
      body: { value: encodeBase64url(Buffer.from(SECRET)), policy: POLICY },
    });
    const proxy = tokenOf(await call('POST', '/v1/operators', { body: { name: 'the-proxy', role: 'proxy' } }));
    const { text: token } = await operate('token', 'create', '--device', DEVICE);

    // As nginx asks with auth_request, once the handshake has shown that the caller has the key.
    const ask = async (when: string, certificate: string): Promise<string> => {
      const headers = {
        authorization: `Bearer ${proxy}`,
        'x-vouchsafe-client-cert': encodeURIComponent(leafOf(certificate)),
      };
      asked.set(when, await call('GET', '/v1/authorize', { headers }));
      return '';
    };
    let held = '';
    good = await scene.boot({
      image,
      request: { credentials: { 'vouchsafe.token': token } },
      script: [
        'agent enroll @/run/credentials/vouchsafe.token --json >enroll.json',
        'agent attest --json >first.json; echo $? >first.status',
        'step approve',
        ...ASKS,
        'cp /run/vouchsafe/client.crt client.earned.crt',
        'step earned client.earned.crt',
        'agent attest --json >renewed.json',
        'step renewed /run/vouchsafe/client.crt',
        // A program that no image has, in a place whose files the kernel measures.
        'mkdir /tmp/ramfs; mount -t ramfs ramfs /tmp/ramfs; cp /bin/busybox /tmp/ramfs/sh; echo >>/tmp/ramfs/sh',
        '/tmp/ramfs/sh -c true',
        'agent attest --json >foreign.json; echo $? >foreign.status',
        'step lost',
      ],
      steps: {
        approve: async () => {
          const { sha256 } = await operate('baseline', 'learn', DEVICE);
          await operate('baseline', 'approve', sha256);
          return '';
        },
        earned: async (said) => {
          await ask('earned', said);
          // What was sent once, sent again. The service keeps it to be looked at.
          const evidence = await scene.server.service.store.read.details.evidence(DEVICE);
          replayed = await call('POST', `/v1/devices/${DEVICE}/evidence`, { body: JSON.parse(evidence?.body ?? '{}') });
          // It says nothing for as long as it is trusted.
          aheadMs += TRUST_MS;
          await ask('silent', said);
          silent = await operate('device', 'show', DEVICE);
          return '';
        },
        renewed: async (said) => {
          held = said;
          return await ask('renewed', said);
        },
        lost: async () => await ask('lost', held),
      },
    });
  });
  after(async () => {
    await scene?.close();
    for (const cleanup of cleanups) cleanup();
  });

  const bootOf = (boot: BootResult | undefined): BootResult => {
    assert.ok(boot);
    return boot;
  };
  const certificateOf = (name: string) => decodeCertificates(bootOf(good).results.get(name) ?? new Uint8Array())[0];
  const revoked = async (): Promise<bigint[]> => {
    const { bytes } = await scene.call('GET', '/v1/crl');
    return decodeCrl(Uint8Array.from(bytes)).revoked.map(({ serialNumber }) => serialNumber);
  };

  test('it enrols with a token, and is refused for its firmware alone until that is approved', () => {
    const boot = bootOf(good);
    assert.equal(printed(boot, 'enroll.json').deviceId, DEVICE);
    const { verdict } = printed(boot, 'first.json');
    assert.deepEqual(codesOf(verdict), ['firmware_unknown', 'phase_unlogged', 'policy_denied']);
    assert.equal(textOf(boot, 'first.status').trim(), '1');
  });

  test('then it is trusted, gets its certificate and the secret, and may pass', () => {
    const boot = bootOf(good);
    const { verdict } = printed(boot, 'attest.json');
    assert.deepEqual([verdict.status, verdict.isTrusted], ['affirming', true]);
    assert.deepEqual(verdict.image, { name: 'edge', version: '1.2.0' });
    assert.equal(textOf(boot, 'secret'), SECRET);
    assert.equal(textOf(boot, 'secret.status').trim(), '0');
    assert.match(certificateOf('client.earned.crt')?.subject.text ?? '', /edge-1/);
    const answer = asked.get('earned');
    assert.deepEqual([answer?.status, answer?.headers['x-vouchsafe-device']], [200, DEVICE]);
  });

  test('its evidence, sent once more, is refused, and changes nothing', () => {
    assert.ok(replayed);
    assert.equal(codeOf(replayed), 'challenge_used');
  });

  test('a machine that falls silent may not pass, until it attests again', () => {
    assert.equal(silent?.state, 'stale');
    assert.deepEqual(
      [asked.get('silent')?.status, asked.get('silent')?.headers['x-vouchsafe-reason']],
      [403, 'device_stale'],
    );
    assert.equal(printed(bootOf(good), 'renewed.json').verdict.isTrusted, true);
    assert.equal(asked.get('renewed')?.status, 200);
  });

  test('a program that is not the image’s: refused at the next request, and its certificates are on the list', async () => {
    const boot = bootOf(good);
    const { verdict } = printed(boot, 'foreign.json');
    assert.deepEqual([verdict.isTrusted, textOf(boot, 'foreign.status').trim()], [false, '1']);
    const unknown = verdict.findings.filter(({ code }: { code: string }) => code === 'ima_file_unknown');
    assert.match(JSON.stringify(unknown), /\/tmp\/ramfs\/sh/);
    assert.equal(asked.get('lost')?.status, 403);
    const serials = await revoked();
    for (const name of ['client.earned.crt', 'client.crt']) {
      assert.ok(serials.includes(certificateOf(name)?.serialNumber ?? 0n), name);
    }
  });
});
