// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Survey, SurveyContext, SurveyRow } from '@vouchsafe/testing';
import { createClient } from '../test/support/client.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { postgresCpuMs } from './service/database-cpu.ts';
import { fillFleet, makeTemplate, type Template } from './service/fill-fleet.ts';
import { addFirstBoot, type FirstBootOptions } from './service/first-boot.ts';
import type { KeyKind, LoadDevice } from './service/load-device.ts';
import { createGenerator } from './service/load-generator.ts';
import { type MeasuredServer, startMeasured } from './service/measured-server.ts';

/** How often machines attest; the service's clock goes on by so much between two rounds. */
const INTERVAL_MS = 15 * 60_000;
const CONCURRENCY = 64;
/** RSA keys take a while to make, so that devices share some. */
const RSA_KEYS = 8;
const GOAL_PER_CORE = 2000;
const OPENSSL: Readonly<Record<KeyKind, string>> = { 'ecdsa-p256': 'ecdsap256', 'rsassa-2048': 'rsa2048' };

interface Sizes {
  readonly devices: number;
  readonly rounds: number;
  readonly warmRounds: number;
  readonly enrolled: number;
  /** More than a process remembers. */
  readonly many: number;
  /** First attestations of a boot in a round. */
  readonly boots: number;
}

const SIZES: Readonly<Record<'quick' | 'usual', Sizes>> = {
  quick: { devices: 100, rounds: 2, warmRounds: 1, enrolled: 2_000, many: 1_000, boots: 10 },
  usual: { devices: 1_000, rounds: 10, warmRounds: 30, enrolled: 100_000, many: 20_000, boots: 100 },
};

/** A service with a fleet in its database, and what sends for the fleet. */
interface Rig {
  readonly server: MeasuredServer;
  readonly generator: ReturnType<typeof createGenerator>;
  readonly devices: readonly LoadDevice[];
  readonly template: Template;
}

interface RigOptions {
  readonly dir: string;
  readonly databaseUrl: string;
  readonly keyKind: KeyKind;
  readonly count: number;
  readonly active: number;
  readonly keepAlive?: boolean;
  readonly profileDir?: string | undefined;
}

async function withRig<T>(options: RigOptions, work: (rig: Rig) => Promise<T>): Promise<T> {
  const { dir, databaseUrl, keyKind, count, active, keepAlive = true, profileDir } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const first = await startMeasured(dir, databaseUrl);
  const template = await makeTemplate(first);
  await first.close();
  const nowMs = Date.now();
  const keys = keyKind === 'rsassa-2048' ? { keys: RSA_KEYS } : {};
  const devices = await fillFleet(databaseUrl, template, { count, active, keyKind, prefix: 'edge', nowMs, ...keys });
  const server = await startMeasured(dir, databaseUrl, { profileDir });
  const clock = Number(template.machine.clock);
  const clockAt = (atMs: number): number => clock + atMs - nowMs;
  const generator = createGenerator(server, { concurrency: CONCURRENCY, boot: template.boot, clockAt, keepAlive });
  try {
    return await work({ server, generator, devices, template });
  } finally {
    generator.close();
    await server.close();
  }
}

/** One round of all devices, a quarter of an hour after the last. */
async function round({ server, generator, devices }: Omit<Rig, 'template'>): Promise<number> {
  await server.advance(INTERVAL_MS);
  const startMs = performance.now();
  await generator.round(devices);
  return performance.now() - startMs;
}

async function measureRounds(rig: Rig, rounds: number, databaseCpuMs: () => number | null) {
  const { server, generator } = rig;
  const [before, counted, databaseBefore] = [await server.usage(), { ...generator.counts }, databaseCpuMs()];
  let wallMs = 0;
  for (let i = 0; i < rounds; i++) wallMs += await round(rig);
  const [after, databaseAfter] = [await server.usage(), databaseCpuMs()];
  const count = generator.counts.attestations - counted.attestations;
  const cpuMs = (after.cpuMs - before.cpuMs) / count;
  return {
    attestations: count,
    cpuUs: cpuMs * 1000,
    kernelUs: ((after.systemMs - before.systemMs) / count) * 1000,
    attestationsPerSecondPerCore: 1000 / cpuMs,
    databaseCpuUs:
      databaseBefore === null || databaseAfter === null ? null : ((databaseAfter - databaseBefore) / count) * 1000,
    certificatesPerAttestation: (generator.counts.certificates - counted.certificates) / count,
    wallPerSecond: count / (wallMs / 1000),
    rssMib: after.rssMib,
  };
}

/** Verifications a second of one core, by user time: what else the machine does is mostly left out. */
function opensslPerSecond(keyKind: KeyKind): number {
  const argv = ['speed', '-mr', '-seconds', '1', OPENSSL[keyKind]];
  const stdout = execFileSync('openssl', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const rate = /^\+F[24]:\d+:\d+:[\d.]+:([\d.]+)/m.exec(stdout)?.[1];
  if (rate === undefined) throw new Error('openssl speed: expected a line "+F2:…" or "+F4:…"');
  return Number(rate);
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

async function steady(rig: Rig, keyKind: KeyKind, sizes: Sizes, databaseCpuMs: () => number | null) {
  await rig.generator.round(rig.devices);
  for (let i = 0; i < sizes.warmRounds; i++) await round(rig);
  // Before and after, as the machine's other work changes its speed.
  const speeds = [opensslPerSecond(keyKind)];
  const measured = await measureRounds(rig, sizes.rounds, databaseCpuMs);
  speeds.push(opensslPerSecond(keyKind));
  const openssl = speeds.reduce((sum, value) => sum + value, 0) / speeds.length;
  return { ...measured, opensslPerSecond: openssl, opensslShare: measured.attestationsPerSecondPerCore / openssl };
}

type Steady = Awaited<ReturnType<typeof steady>>;

const steadyGoals = (
  { attestationsPerSecondPerCore, opensslShare }: Steady,
  keyKind: KeyKind,
): NonNullable<SurveyRow['goals']> => [
  { text: `at least ${GOAL_PER_CORE} a second and core`, isMet: attestationsPerSecondPerCore >= GOAL_PER_CORE },
  ...(keyKind === 'ecdsa-p256' ? [{ text: 'at least 20% of openssl speed', isMet: opensslShare >= 0.2 }] : []),
];

const NO_DATABASE = (): null => null;

async function survey(context: SurveyContext): Promise<readonly SurveyRow[]> {
  const { dir, isQuick, only, profileDir, onCase } = context;
  const sizes = SIZES[isQuick ? 'quick' : 'usual'];
  const rows: SurveyRow[] = [];
  const hooks: (() => Promise<void> | void)[] = [];
  const isWanted = (name: string): boolean => only === undefined || name.includes(only);
  const run = async (name: string, work: () => Promise<Omit<SurveyRow, 'name'>>): Promise<void> => {
    if (!isWanted(name)) return;
    onCase(name);
    rows.push({ name, ...(await work()) });
  };
  const sqlite = (name: string) => ({ dir: join(dir, name), databaseUrl: `sqlite:${join(dir, name, 'vouchsafe.db')}` });
  const fleet = { count: sizes.devices, active: sizes.devices, profileDir };
  try {
    for (const keyKind of ['ecdsa-p256', 'rsassa-2048'] as const) {
      await run(`sqlite ${keyKind}`, () =>
        withRig({ ...sqlite(keyKind), ...fleet, keyKind }, async (rig) => {
          const values = await steady(rig, keyKind, sizes, NO_DATABASE);
          return { values, goals: steadyGoals(values, keyKind) };
        }),
      );
      await run(`postgres ${keyKind}`, async () => {
        const postgres = await startPostgres({ after: (fn) => void hooks.push(fn) });
        const databaseUrl = await postgres.createDatabase();
        const options = { dir: join(dir, `pg-${keyKind}`), databaseUrl, ...fleet, keyKind };
        return withRig(options, async (rig) => {
          const values = await steady(rig, keyKind, sizes, () => postgresCpuMs(databaseUrl));
          return { values, goals: steadyGoals(values, keyKind) };
        });
      });
    }
    await run('half load', () =>
      withRig({ ...sqlite('half'), ...fleet, keyKind: 'ecdsa-p256' }, async (rig) => {
        const { wallPerSecond } = await steady(rig, 'ecdsa-p256', sizes, NO_DATABASE);
        await rig.server.advance(INTERVAL_MS);
        const latencies = await rig.generator.paced(rig.devices, wallPerSecond / 2);
        const p99Ms = quantile(latencies, 0.99);
        const values = { perSecond: wallPerSecond / 2, p50Ms: quantile(latencies, 0.5), p99Ms };
        return { values, goals: [{ text: 'p99 at most 50 ms', isMet: p99Ms <= 50 }] };
      }),
    );
    await run('without keep-alive', () =>
      withRig({ ...sqlite('handshakes'), ...fleet, keyKind: 'ecdsa-p256', keepAlive: false }, async (rig) => {
        return { values: await steady(rig, 'ecdsa-p256', sizes, NO_DATABASE) };
      }),
    );
    for (const { name, goalMs, ...options } of FIRST_BOOTS) {
      await run(name, () =>
        withRig(
          {
            ...sqlite(`boots-${options.imaEntries}`),
            ...fleet,
            keyKind: 'ecdsa-p256',
            count: sizes.boots,
            active: sizes.boots,
          },
          (rig) => firstBoots(rig, options, goalMs),
        ),
      );
    }
    await run('enrolled', () => enrolled({ ...sqlite('enrolled'), profileDir }, sizes));
    await run('more than its memory', () =>
      withRig(
        { ...sqlite('many'), ...fleet, keyKind: 'ecdsa-p256', count: sizes.enrolled, active: sizes.many },
        async (rig) => {
          // Each is forgotten before it comes again.
          await rig.generator.round(rig.devices);
          return { values: await measureRounds(rig, 1, NO_DATABASE) };
        },
      ),
    );
    return rows;
  } finally {
    for (const hook of hooks) await hook();
  }
}

/** What a machine sends once in each boot. */
const FIRST_BOOTS: readonly (FirstBootOptions & { readonly name: string; readonly goalMs: number })[] = [
  { name: 'first of a boot, log of 40 KB', logBytes: 40_000, imaEntries: 0, goalMs: 5 },
  { name: 'first of a boot, 5,000 files', logBytes: 40_000, imaEntries: 5_000, goalMs: 25 },
];
const FIRST_BOOT_ROUNDS = 4;

/** Each device boots again in each round; the first rounds warm the process. */
async function firstBoots(rig: Rig, options: FirstBootOptions, goalMs: number): Promise<Omit<SurveyRow, 'name'>> {
  const { server, generator, devices, template } = rig;
  const client = createClient(server.url, { ca: server.ca });
  const call = (method: string, path: string, body?: unknown) =>
    client.call(method, path, { token: template.token, ...(body === undefined ? {} : { body }) });
  const bootOf = await addFirstBoot({ workshop: { ...template.workshop, call } }, options);
  client.close();
  let { resetCount } = template.boot;
  for (let i = 0; i < FIRST_BOOT_ROUNDS; i++) await generator.round(devices, bootOf(++resetCount));
  const before = await server.usage();
  const startMs = performance.now();
  for (let i = 0; i < FIRST_BOOT_ROUNDS; i++) await generator.round(devices, bootOf(++resetCount));
  const wallMs = performance.now() - startMs;
  const after = await server.usage();
  const attestations = FIRST_BOOT_ROUNDS * devices.length;
  const cpuMs = (after.cpuMs - before.cpuMs) / attestations;
  return {
    values: { attestations, cpuMs, wallPerSecond: attestations / (wallMs / 1000), rssMib: after.rssMib },
    goals: [{ text: `at most ${goalMs} ms of CPU`, isMet: cpuMs <= goalMs }],
  };
}

/** A service with many devices, of which some attest: first unknown to its memory of devices, then known. */
async function enrolled(
  place: { readonly dir: string; readonly databaseUrl: string; readonly profileDir: string | undefined },
  { enrolled: count, devices: active, rounds }: Sizes,
): Promise<Omit<SurveyRow, 'name'>> {
  return withRig({ ...place, keyKind: 'ecdsa-p256', count, active }, async (rig) => {
    const { server, generator, devices, template } = rig;
    const client = createClient(server.url, { ca: server.ca });
    const pages: number[] = [];
    for (let i = 0; i < 20; i++) {
      const startMs = performance.now();
      await client.call('GET', `/v1/devices?after=edge-${String(i * 100).padStart(7, '0')}`, { token: template.token });
      pages.push(performance.now() - startMs);
    }
    client.close();
    // Nothing of them is in the service's memory yet: each is read, its certificates checked, its key imported.
    const before = await server.usage();
    await generator.round(devices);
    const after = await server.usage();
    const { cpuUs } = await measureRounds(rig, rounds, NO_DATABASE);
    const { rssMib } = await server.usage();
    const pageMs = quantile(pages, 0.5);
    return {
      values: {
        devices: count,
        startMs: server.startMs,
        startCpuMs: server.cpuMs,
        rssAtStartMib: server.rssMib,
        rssMib,
        pageMs,
        coldCpuUs: ((after.cpuMs - before.cpuMs) / devices.length) * 1000,
        warmCpuUs: cpuUs,
      },
      goals: [
        { text: 'at most 400 MiB', isMet: rssMib <= 400 },
        { text: 'starts in at most 3 s', isMet: server.startMs <= 3000 },
        { text: 'a page in at most 100 ms', isMet: pageMs <= 100 },
      ],
    };
  });
}

/** The service under load by a generator in this process. */
export const bench: Survey = {
  name: 'service',
  description: 'attestations per second and core, all included; --only NAME for one row, --profile DIR for V8 profiles',
  survey,
};
