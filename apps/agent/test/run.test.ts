// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AgentEvent, type Clock, type RunOptions, runAgent } from '@vouchsafe/agent';
import { backoffMs, spreadMs } from '../src/backoff.ts';
import { waitFor } from '../src/clock.ts';
import { testAuthority } from './support/test-authority.ts';
import { NEEDS_TPM, testMachine } from './support/test-machine.ts';
import { TestService, type TestServiceOptions } from './support/test-service.ts';

/** A clock that only waits move, and that can jump. */
class TestClock implements Clock {
  #monotonic = 0;
  #wall = 1_700_000_000_000;
  readonly waits: number[] = [];
  /** Called before each wait. */
  onSleep: () => void = () => {};

  monotonicMs = (): number => this.#monotonic;
  wallMs = (): number => this.#wall;
  sleep = async (ms: number): Promise<void> => {
    this.onSleep();
    this.waits.push(ms);
    this.#monotonic += ms;
    this.#wall += ms;
  };
  jumpWall(ms: number): void {
    this.#wall += ms;
  }
  get total(): number {
    return this.waits.reduce((sum, ms) => sum + ms, 0);
  }
}

const never = new AbortController().signal;

test('waiting ends by whichever clock comes first, and a wall clock set back does not prolong it', async () => {
  const plain = new TestClock();
  await waitFor(plain, 60_000, never);
  assert.equal(plain.total, 60_000);
  // A machine that slept: the monotonic clock stood still, the wall clock went on.
  const slept = new TestClock();
  slept.onSleep = () => slept.waits.length === 1 && slept.jumpWall(3_600_000);
  await waitFor(slept, 600_000, never);
  assert.ok(slept.total <= 30_000, String(slept.total));
  const setBack = new TestClock();
  setBack.onSleep = () => setBack.waits.length === 1 && setBack.jumpWall(-365 * 86_400_000);
  await waitFor(setBack, 60_000, never);
  assert.equal(setBack.total, 60_000);
  const stopped = new AbortController();
  const aborted = new TestClock();
  aborted.onSleep = () => stopped.abort();
  await waitFor(aborted, 600_000, stopped.signal);
  assert.ok(aborted.total <= 15_000);
});

test('failures wait longer each time up to a limit, spread, and not shorter than the service asks', () => {
  const longest = [1, 2, 3, 9, 10, 1000].map((failures) => backoffMs(failures, 0.999_999));
  assert.deepEqual(longest.map(Math.round), [1000, 2000, 4000, 256_000, 300_000, 300_000]);
  assert.equal(backoffMs(2, 0), 1000);
  assert.ok(backoffMs(1, 0, 60_000) >= 60_000 && backoffMs(1, 0.9, 60_000) > 60_000);
  assert.deepEqual([spreadMs(1000, 0), spreadMs(1000, 0.5)], [1000, 950]);
});

async function scene(t: TestContext, options: TestServiceOptions = {}) {
  const machine = await testMachine(t);
  const service = await TestService.start(await testAuthority('CA'), options);
  t.after(() => service.stop());
  const clock = new TestClock();
  const agent = machine.agent({ clock });
  const server = { url: service.url, caSha256: service.caSha256 };
  await agent.beginEnrolment({ server, joining: { kind: 'token', token: 'token-for-one-machine' } });
  const events: AgentEvent[] = [];
  const stop = new AbortController();
  /** Runs until the events are as many as wanted. */
  const runUntil = (count: number, more: Partial<RunOptions> = {}) =>
    runAgent(agent, {
      clock,
      random: () => 0.5,
      signal: stop.signal,
      report: (event) => {
        events.push(event);
        if (events.length >= count) stop.abort();
      },
      ...more,
    });
  const kinds = () =>
    events.map((event) => (event.kind === 'failed' ? (event.error as { code?: string }).code : event.kind));
  return { machine, service, agent, clock, events, stop, runUntil, kinds };
}

test('the daemon enrols, attests when told, and goes on after the service was away', NEEDS_TPM, async (t) => {
  const { service, clock, runUntil, kinds, events } = await scene(t, { nextInMs: 600_000, challengeMs: 3_600_000 });
  const attested: number[] = [];
  let down = 0;
  service.options.instead = ({ path }) => {
    if (path.endsWith('evidence')) attested.push(clock.total);
    if (attested.length !== 2) return undefined;
    down += 1;
    return down <= 3 ? { status: 503, body: {}, retryAfter: '90' } : undefined;
  };
  await runUntil(8);
  assert.deepEqual(kinds(), [
    'enrolled',
    'attested',
    'certificate',
    ...Array(3).fill('server_refused'),
    'attested',
    'attested',
  ]);
  // Earlier than told by the half of a tenth; after a refusal not before the service's wish.
  assert.ok(Math.abs((attested[1] ?? 0) - 570_000) < 5000, String(attested));
  for (const event of events) if (event.kind === 'failed') assert.ok(event.againInMs >= 90_000);
});

test(
  'a challenge that was held too long, or slept over, is not used; one that the service refuses is replaced',
  NEEDS_TPM,
  async (t) => {
    const { service, clock, runUntil, kinds } = await scene(t, { nextInMs: 600_000, challengeMs: 60_000 });
    const challenges = () => service.exchanges.filter(({ path }) => path.endsWith('challenges')).length;
    await runUntil(4);
    assert.deepEqual(kinds(), ['enrolled', 'attested', 'certificate', 'attested']);
    assert.equal(challenges(), 2);
    void clock;
  },
);

test('a held challenge is refused: the same attestation is made over a new one', NEEDS_TPM, async (t) => {
  const { service, agent, clock, runUntil, kinds } = await scene(t, { nextInMs: 600_000, challengeMs: 3_600_000 });
  let refusals = 0;
  service.options.instead = ({ path }) => {
    const isSecond = path.endsWith('evidence') && service.machines.get('machine-1')?.certificate !== undefined;
    if (!isSecond || refusals++ > 0) return undefined;
    const code = 'challenge_fresh_needed';
    return { status: 409, body: { type: `urn:${code}`, title: code, status: 409, code } };
  };
  await runUntil(4);
  assert.deepEqual(kinds(), ['enrolled', 'attested', 'certificate', 'attested']);
  assert.equal(refusals, 2);
  // The wall clock jumps over the challenge's end while the monotonic one stands: it is dropped unasked.
  clock.jumpWall(4_000_000);
  const before = service.exchanges.length;
  await agent.attest();
  assert.deepEqual(
    service.exchanges.slice(before).map(({ path }) => path.split('/').at(-1)),
    ['challenges', 'evidence'],
  );
});

test('a certificate is renewed when it is due, also where the service has lost the key', NEEDS_TPM, async (t) => {
  const { service, agent, runUntil } = await scene(t);
  await runUntil(3);
  const certifies = () => service.exchanges.at(-1)?.body['keys'] !== undefined;
  await agent.attest();
  assert.equal(certifies(), false);
  // Due by the service's clock: it is asked once without keys, as it mostly knows them, and then with.
  service.aheadMs = 7_200_000;
  await agent.attest({ secrets: ['none'] });
  assert.equal(certifies(), false);
  const { certificate } = await agent.attest();
  assert.equal(certifies(), true);
  assert.ok(certificate);
  await agent.attest();
  assert.equal(certifies(), false);
});

test('a verdict that is bad is an answer: the daemon goes on, and gets no certificate', NEEDS_TPM, async (t) => {
  const { agent, runUntil, kinds } = await scene(t, { isTrusted: false, nextInMs: 60_000 });
  await runUntil(3);
  assert.deepEqual(kinds(), ['enrolled', 'attested', 'attested']);
  assert.equal(agent.state?.certificate, undefined);
});

test('a stop breaks off a request that hangs', NEEDS_TPM, async (t) => {
  const { service, stop, runUntil, kinds } = await scene(t);
  service.options.instead = () => {
    setTimeout(() => stop.abort(), 50);
    return 'say nothing';
  };
  await runUntil(100);
  assert.deepEqual(kinds(), []);
});
