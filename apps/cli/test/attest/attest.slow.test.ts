// SPDX-License-Identifier: Apache-2.0
// A real machine earns its certificate and a secret, uses the certificate by its TPM's key at a real nginx, and loses both: for
// falling silent, and for a program that is not its image's. One boot attests to two services, of which one has SQLite and the
// other two instances on PostgreSQL. Services, the operator's command, agent, TPM and firmware are the ones that users have.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BootResult } from '@vouchsafe/lab';
import { decodeCertificates, decodeCrl } from '@vouchsafe/pki';
import { encodeBase64url } from '@vouchsafe/protocol';
import { startPostgres } from '@vouchsafe/server/test-support/postgres';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { codesOf, openScene, printed, type Scene, type Steps, textOf } from './attest-scene.ts';
import { quotedInSoftware } from './forged-evidence.ts';
import { type Answer, bodyOf, openTwoInstances, type ServedService, type TwoInstances } from './served-service.ts';
import { openWebSite, type WebSite } from './web-site.ts';

const tools = needsTool(
  ...['qemu-system-x86_64', 'swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool', 'dmsetup', 'busybox', 'dpkg'],
  ...['nginx', 'curl', 'openssl', 'pg_ctlcluster'],
);
const DEVICE = 'edge-1';
const SECRET = 'the key of the disk';
const POLICY = `permit(principal == Machine::"${DEVICE}", action == Action::"release", resource);`;
/** Shorter than what the service's lists and certificates are dated back by: nginx goes by the host's clock. */
const TRUST_MS = 4 * 60_000;
const DATABASES = ['SQLite', 'PostgreSQL'] as const;
type Database = (typeof DATABASES)[number];

/** Shell functions of the machine, for the key in its TPM. */
const WEB = [
  'export DBUS_SESSION_BUS_ADDRESS=unix:path=/run/bus',
  'dbus-daemon --session --nofork --address=$DBUS_SESSION_BUS_ADDRESS >/run/bus.log 2>&1 &',
  'i=0; while [ ! -S /run/bus ] && [ $i -lt 60 ]; do i=$((i + 1)); sleep 1; done',
  '/usr/sbin/tpm2-abrmd --session --allow-root --tcti=device:/dev/tpmrm0 >/run/abrmd.log 2>&1 &',
  // proxy PORT: the agent's, on this port, for the two web servers.
  'proxy() { [ -z "$HELPER" ] || kill $HELPER; HELPER_PORT=$1; rm -f helper',
  '  node /usr/lib/vouchsafe/vouchsafe-agent.cjs proxy --state $STATE --listen $1 --ca site.pem --tcti tabrmd:bus_type=session \\',
  '    --to 10.0.2.2:$asking --to 10.0.2.2:$listing --json >helper 2>>helper.error &',
  '  HELPER=$!; i=0; while [ ! -s helper ] && [ $i -lt 120 ]; do i=$((i + 1)); sleep 1; done; }',
  // visit SERVER NAME: the status that it answers with. A connection may have been closed as it was used: then once more.
  'visit() { eval port=\\$$1; for i in 1 2 3; do',
  '    if http_proxy=http://127.0.0.1:$HELPER_PORT wget -qO $2.page http://10.0.2.2:$port/ 2>$2.error; then echo 200 >$2',
  "    else sed -n 's/.*HTTP\\/1.1 \\([0-9]*\\).*/\\1/p' $2.error >$2; fi",
  '    case $(cat $2) in 5*|"") sleep 1 ;; *) return ;; esac; done; }',
];

/** What the machine does as long as all is well, with the service of this database. */
const earns = (database: Database): string[] => [
  `STATE=/run/state-${database}; HELPER=; mkdir -m 700 $STATE; mkdir /run/results/${database}; cd /run/results/${database}`,
  `agent enroll @/run/credentials/vouchsafe.${database} --json >enroll.json`,
  'agent attest --json >first.json; echo $? >first.status',
  `step approve-${database}`,
  'agent attest --json >attest.json; echo $? >attest.status',
  'agent secret disk-key >secret 2>secret.error; echo $? >secret.status',
  'cp $STATE/client.crt client.earned.crt',
  `step ca-${database} >site.pem; step ports-${database} >ports; . ./ports`,
  `proxy ${database === 'SQLite' ? 8118 : 8128}`,
  'visit asking asking.earned; visit listing listing.earned',
  `step sent-${database}`,
  `step silent-${database} client.earned.crt`,
  'visit asking asking.silent',
  'agent attest --json >renewed.json',
  'cp $STATE/client.crt client.crt',
  `proxy ${database === 'SQLite' ? 8119 : 8129}; HELPER_${database}=$HELPER`,
  'visit asking asking.renewed',
];

/** And when a program has run that is not its image's. */
const loses = (database: Database): string[] => [
  `STATE=/run/state-${database}; cd /run/results/${database}; . ./ports`,
  `HELPER_PORT=${database === 'SQLite' ? 8119 : 8129}`,
  'agent attest --json >foreign.json; echo $? >foreign.status',
  'visit asking asking.lost; visit listing listing.unread',
  `step list-${database}`,
  // nginx starts new workers, and then has the old ones end.
  'for tries in 1 2 3 4 5 6 7 8 9 10; do visit listing listing.lost; [ $(cat listing.lost) = 200 ] || break; sleep 1; done',
  `step lost-${database} client.crt`,
];

/** What nginx has in $ssl_client_escaped_cert: the caller's own certificate, without its issuers. */
const leafOf = (chain: string): string => /^-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/.exec(chain)?.[0] ?? '';

/** What came of it at one service. */
class Course {
  readonly service: ServedService;
  readonly site: WebSite;
  readonly clock: { aheadMs: number };
  readonly #database: Database;
  #proxyToken = '';
  /** What a proxy is told of the machine's certificate, by when it asked. */
  readonly asked = new Map<string, Answer>();
  /** Answers to what nobody's TPM has made for the challenge. */
  readonly sent: { what: string; answer: Answer }[] = [];
  silent: { state: string } | undefined;
  stateAfterAttacks: string | undefined;
  listStatus: number | null | undefined;

  constructor(database: Database, service: ServedService, site: WebSite, clock: { aheadMs: number }) {
    this.#database = database;
    this.service = service;
    this.site = site;
    this.clock = clock;
  }

  /** What an operator does on the first day. @returns the token that the machine joins with */
  async prepare(manifest: string): Promise<string> {
    const { operate, call } = this.service;
    await operate('reference', 'add', manifest, '--activate');
    await call('PUT', '/v1/secrets/disk-key', {
      body: { value: encodeBase64url(Buffer.from(SECRET)), policy: POLICY },
    });
    const body = { name: 'another-proxy', role: 'proxy' };
    this.#proxyToken = bodyOf(await call('POST', '/v1/operators', { body })).token;
    return (await operate('token', 'create', '--device', DEVICE)).text;
  }

  /** @param other where evidence for this service is sent, too */
  steps(other: () => Course): Steps {
    const { operate } = this.service;
    const steps: Steps = {
      approve: async () => {
        const { sha256 } = await operate('baseline', 'learn', DEVICE);
        await operate('baseline', 'approve', sha256);
        return '';
      },
      ca: async () => this.site.ca,
      ports: async () => `asking=${this.site.ports.asking}\nlisting=${this.site.ports.listing}\n`,
      sent: async () => {
        await this.#sendOthers(other());
        return '';
      },
      silent: async (certificate) => {
        await this.#ask('earned', certificate);
        // It says nothing for as long as it is trusted.
        this.clock.aheadMs += TRUST_MS;
        await this.#ask('silent', certificate);
        this.silent = await operate('device', 'show', DEVICE);
        return '';
      },
      list: async () => {
        this.listStatus = await this.site.fetchList();
        return '';
      },
      lost: (certificate) => this.#ask('lost', certificate),
    };
    return Object.fromEntries(Object.entries(steps).map(([name, step]) => [`${name}-${this.#database}`, step]));
  }

  /** Evidence that the machine has sent, as the service keeps it to be looked at. */
  async lastEvidence() {
    const kept = await this.service.server.service.store.read.details.evidence(DEVICE);
    return JSON.parse(kept?.body ?? '{}');
  }

  async #sendOthers(other: Course): Promise<void> {
    const calls = 'callAt' in this.service ? (this.service as TwoInstances).callAt : [this.service.call];
    const evidence = await this.lastEvidence();
    const send = async (what: string, body: unknown, call = this.service.call): Promise<void> => {
      this.sent.push({ what, answer: await call('POST', `/v1/devices/${DEVICE}/evidence`, { body }) });
    };
    for (const call of calls) await send('replayed', evidence, call);
    // The same machine, the same TPM, another service's challenge.
    const relayed = await other.lastEvidence();
    if (relayed.quote !== undefined) await send('relayed', relayed, calls[0]);
    const challenge = bodyOf(await this.service.call('POST', `/v1/devices/${DEVICE}/challenges`));
    await send('software key', quotedInSoftware(evidence, challenge), calls.at(-1));
    this.stateAfterAttacks = (await this.service.operate('device', 'show', DEVICE)).state;
  }

  /** As nginx asks with auth_request, once the handshake has shown that the caller has the key. */
  async #ask(when: string, certificate: string): Promise<string> {
    const headers = {
      authorization: `Bearer ${this.#proxyToken}`,
      'x-vouchsafe-client-cert': encodeURIComponent(leafOf(certificate)),
    };
    this.asked.set(when, await this.service.call('GET', '/v1/authorize', { headers }));
    return '';
  }
}

describe('a machine that attests', tools, () => {
  const cleanups: (() => Promise<void> | void)[] = [];
  const hooks = { after: (fn: () => Promise<void> | void) => void cleanups.push(fn) };
  const courses = new Map<Database, Course>();
  let scene: Scene | undefined;
  let instances: TwoInstances | undefined;
  let good: BootResult | undefined;

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => hooks.after(fn as () => void) });
    const clocks = { SQLite: { aheadMs: 0 }, PostgreSQL: { aheadMs: 0 } };
    const config = (database: Database) => ({
      attestation: { trustMs: TRUST_MS },
      now: () => Date.now() + clocks[database].aheadMs,
    });
    scene = await openScene(dir, config('SQLite'));
    mkdirSync(join(dir, 'two'));
    const url = await (await startPostgres(hooks)).createDatabase();
    instances = await openTwoInstances(join(dir, 'two'), url, config('PostgreSQL'));
    await scene.introduce(instances);
    const image = scene.buildImage('1.2.0', { hasTpmTls: true });
    const services = { SQLite: scene, PostgreSQL: instances };
    const credentials: Record<string, string> = {};
    for (const database of DATABASES) {
      const service = services[database];
      const course = new Course(database, service, await openWebSite(hooks, service), clocks[database]);
      courses.set(database, course);
      credentials[`vouchsafe.${database}`] = await course.prepare(image.manifest);
    }
    const [first, second] = [courseOf('SQLite'), courseOf('PostgreSQL')];
    good = await scene.boot({
      image,
      request: { credentials },
      script: [
        ...WEB,
        ...DATABASES.flatMap(earns),
        // A program that no image has, in a place whose files the kernel measures.
        'mkdir /tmp/ramfs; mount -t ramfs ramfs /tmp/ramfs; cp /bin/busybox /tmp/ramfs/sh; echo >>/tmp/ramfs/sh',
        '/tmp/ramfs/sh -c true',
        ...DATABASES.flatMap(loses),
        'cd /run/results',
      ],
      steps: { ...first.steps(() => second), ...second.steps(() => first) },
    });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
    await scene?.close();
    await instances?.close();
  });

  const courseOf = (database: Database): Course => courses.get(database) ?? assert.fail(database);
  const bootOf = (boot: BootResult | undefined): BootResult => {
    assert.ok(boot);
    return boot;
  };

  for (const database of DATABASES) {
    describe(`at a service with ${database}`, () => {
      const text = (name: string): string => textOf(bootOf(good), `${database}/${name}`).trim();
      const said = (name: string) => printed(bootOf(good), `${database}/${name}`);
      const certificateOf = (name: string) =>
        decodeCertificates(bootOf(good).results.get(`${database}/${name}`) ?? new Uint8Array())[0];
      const statusOf = (name: string): string => text(name) || assert.fail(`${name}: ${text(`${name}.error`)}`);
      const answered = (when: string) => {
        const answer = courseOf(database).asked.get(when);
        return [answer?.status, answer?.headers['x-vouchsafe-reason'] ?? answer?.headers['x-vouchsafe-device']];
      };

      test('it enrols with a token, and is refused for its firmware alone until that is approved', () => {
        assert.equal(said('enroll.json').deviceId, DEVICE);
        assert.deepEqual(codesOf(said('first.json').verdict), ['firmware_unknown', 'phase_unlogged', 'policy_denied']);
        assert.equal(text('first.status'), '1');
      });

      test('then it is trusted, gets its certificate and the secret, and may pass', () => {
        const { verdict } = said('attest.json');
        assert.deepEqual([verdict.status, verdict.isTrusted], ['affirming', true]);
        assert.deepEqual(verdict.image, { name: 'edge', version: '1.2.0' });
        assert.equal(text('secret'), SECRET);
        assert.equal(text('secret.status'), '0');
        assert.match(certificateOf('client.earned.crt')?.subject.text ?? '', /edge-1/);
        assert.deepEqual(answered('earned'), [200, DEVICE]);
      });

      test('by the key in its TPM it is let in at nginx, by the one that asks and by the one that goes by the list', () => {
        assert.equal(statusOf('asking.earned'), '200');
        assert.equal(text('asking.earned.page'), `hello ${DEVICE}`);
        assert.equal(statusOf('listing.earned'), '200');
        assert.match(text('listing.earned.page'), /CN=edge-1/);
      });

      test('its evidence sent once more, to whichever instance; what it sent to another service; a quote by a key in software', () => {
        const { sent, stateAfterAttacks } = courseOf(database);
        const codes = sent.map(({ what, answer }) => `${what}: ${bodyOf(answer).code}`);
        assert.deepEqual(
          codes,
          database === 'SQLite'
            ? ['replayed: challenge_used', 'software key: evidence_not_authentic']
            : [
                ...['replayed: challenge_used', 'replayed: challenge_used'],
                ...['relayed: challenge_invalid', 'software key: evidence_not_authentic'],
              ],
        );
        const forged = sent.find(({ what }) => what === 'software key') ?? assert.fail();
        assert.deepEqual(codesOf(bodyOf(forged.answer)), ['signature_invalid']);
        assert.equal(stateAfterAttacks, 'trusted');
      });

      test('a machine that falls silent may not pass, until it attests again', () => {
        assert.equal(courseOf(database).silent?.state, 'stale');
        assert.deepEqual(answered('silent'), [403, 'device_stale']);
        assert.equal(statusOf('asking.silent'), '403');
        assert.equal(said('renewed.json').verdict.isTrusted, true);
        assert.equal(statusOf('asking.renewed'), '200');
      });

      test('a program that is not the image’s: a verdict that names it, and nginx that asks refuses at the next request', () => {
        const { verdict } = said('foreign.json');
        assert.deepEqual([verdict.isTrusted, text('foreign.status')], [false, '1']);
        const unknown = verdict.findings.filter(({ code }: { code: string }) => code === 'ima_file_unknown');
        assert.match(JSON.stringify(unknown), /\/tmp\/ramfs\/sh/);
        assert.equal(statusOf('asking.lost'), '403');
        assert.equal(answered('lost')[0], 403);
        // The program behind it was not asked again.
        const { served } = courseOf(database).site;
        assert.deepEqual(
          served.filter((name) => name === DEVICE),
          [DEVICE, DEVICE],
        );
      });

      test('nginx that goes by the list refuses when the shipped hook has fetched it', async () => {
        assert.equal(statusOf('listing.unread'), '200');
        assert.equal(courseOf(database).listStatus, 0);
        assert.equal(statusOf('listing.lost'), '400');
        const { bytes } = await courseOf(database).service.call('GET', '/v1/crl');
        const serials = decodeCrl(Uint8Array.from(bytes)).revoked.map(({ serialNumber }) => serialNumber);
        for (const name of ['client.earned.crt', 'client.crt']) {
          assert.ok(serials.includes(certificateOf(name)?.serialNumber ?? 0n), name);
        }
      });
    });
  }

  test('both instances were given evidence, each time over a challenge of the other', () => {
    const { evidence } = instances ?? assert.fail('no instances');
    assert.ok(evidence.length >= 5, String(evidence.length));
    assert.deepEqual(
      evidence.map(({ instance, status }) => [instance, status]),
      evidence.map((_, i) => [i % 2, 200]),
    );
  });
});
