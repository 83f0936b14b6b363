// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ascii, concatBytes } from '@vouchsafe/base';
import { decode, encode } from '@vouchsafe/codec';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  decodeReturnCode,
  execute,
  type PcrValue,
  readPcrs,
  responseHeader,
  TpmError,
  tpm2GetRandom,
  tpm2PcrExtend,
  tpm2Startup,
  tpmDigest,
} from '@vouchsafe/tpm';
import { openSwtpm, openSwtpmControl, openTpmDevice } from '@vouchsafe/tpm/node';
import { returnCodeOf } from './live/tpm.ts';

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof TpmError && error.code === code;

/** TPM2_GetRandom of 8 octets. TPM 2.0 Library, Part 3, section 16.1. */
const GET_RANDOM = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8);

test('swtpm answers commands over its Unix socket, good and bad ones, in turn', needsTool('swtpm'), async (t) => {
  const { path } = await startSwtpm(t, tempDir(t));
  const tpm = await openSwtpm({ path });
  const answers = await Promise.all([GET_RANDOM, GET_RANDOM, GET_RANDOM].map((command) => tpm.send(command)));
  assert.equal(new Set(answers.map(String)).size, 3);
  for (const random of answers) {
    assert.equal(random.length, 10 + 2 + 8);
    assert.equal(decode(responseHeader, random.subarray(0, 10)).responseCode, 0);
  }
  const refused = await tpm.send(Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0x7f, 0xff));
  assert.equal(decodeReturnCode(decode(responseHeader, refused).responseCode).name, 'TPM_RC_COMMAND_CODE');
  await tpm.close();
  await tpm.close();
  // One connection at a time: closed is closed.
  const next = await openSwtpm({ path });
  await execute(next, tpm2GetRandom, { bytesRequested: 4 });
  await next.close();
});

test('swtpm over TCP', needsTool('swtpm'), async (t) => {
  const dir = tempDir(t);
  // A port that was free a moment ago.
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const server = ['--server', `type=tcp,port=${port},bindaddr=127.0.0.1`, '--flags', 'not-need-init,startup-clear'];
  const swtpm = spawn('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${dir}`, ...server], { stdio: 'ignore' });
  t.after(() => swtpm.kill());
  let tpm: Awaited<ReturnType<typeof openSwtpm>> | undefined;
  for (let i = 0; i < 500 && tpm === undefined; i++) {
    tpm = await openSwtpm({ host: '127.0.0.1', port }).catch(() => undefined);
    if (tpm === undefined) await sleep(20);
  }
  assert.ok(tpm);
  const { randomBytes } = await execute(tpm, tpm2GetRandom, { bytesRequested: 12 });
  assert.equal(randomBytes.length, 12);
  await tpm.close();
});

const DRTM = [{ bank: 'sha256', pcrs: [17, 18, 19, 20, 21, 22] }] as const;
const bytes = (values: readonly PcrValue[]): Uint8Array[] => values.map(({ value }) => value);

test(
  "swtpm's control channel: power, buffer size, locality, and the hash of a dynamic launch",
  needsTool('swtpm'),
  async (t) => {
    const { path, controlPath } = await startSwtpm(t, tempDir(t), '');
    const control = await openSwtpmControl({ path: controlPath });
    t.after(() => control.close());
    const size = await control.getBufferSize();
    assert.ok(size.bufferSize >= size.minSize && size.bufferSize <= size.maxSize);
    assert.equal((await control.setBufferSize(size.minSize)).bufferSize, size.minSize);
    assert.equal((await control.setBufferSize(size.maxSize)).bufferSize, size.maxSize);
    await control.init();
    const tpm = await openSwtpm({ path });
    t.after(() => tpm.close());
    await execute(tpm, tpm2Startup, { startupType: 'clear' });

    // A44: before a launch the dynamic PCRs are all ones, which nobody may take for a launch.
    assert.deepEqual(bytes((await readPcrs(tpm, DRTM)).values), Array(6).fill(new Uint8Array(32).fill(0xff)));
    assert.equal(await control.isEstablished(), false);
    const launched = concatBytes(
      ascii('the launched environment, longer than one piece'),
      new Uint8Array(9000).fill(7),
    );
    await control.hashSequence(launched);
    const [pcr17, ...others] = bytes((await readPcrs(tpm, DRTM)).values);
    assert.deepEqual(pcr17, tpmDigest('sha256', concatBytes(new Uint8Array(32), tpmDigest('sha256', launched))));
    assert.deepEqual(others, Array(5).fill(new Uint8Array(32)));
    assert.equal(await control.isEstablished(), true);

    // A44: localities. PCR 17 is extended at 2 to 4, PCR 22 at 2, PCR 20 at 1 to 3.
    const extend = async (locality: number, pcrHandle: number): Promise<string> => {
      await control.setLocality(locality);
      const digests = [{ hashAlg: 'sha256', digest: new Uint8Array(32) }] as const;
      return execute(tpm, tpm2PcrExtend, { pcrHandle, digests: [...digests] }).then(
        () => 'done',
        () => returnCodeOf(execute(tpm, tpm2PcrExtend, { pcrHandle, digests: [...digests] })),
      );
    };
    const allowed: Record<number, readonly number[]> = { 17: [2, 3, 4], 18: [2, 3, 4], 20: [1, 2, 3], 22: [2] };
    for (const [pcr, localities] of Object.entries(allowed)) {
      for (const locality of [0, 1, 2, 3, 4]) {
        const expected = localities.includes(locality) ? 'done' : 'TPM_RC_LOCALITY';
        assert.equal(await extend(locality, Number(pcr)), expected, `PCR ${pcr} at locality ${locality}`);
      }
    }
    await assert.rejects(control.setLocality(5), isCode('io'));
    await control.setLocality(0);
    await control.stop();
    await control.init({ deleteVolatile: true });
    await execute(tpm, tpm2Startup, { startupType: 'clear' });
    assert.deepEqual(bytes((await readPcrs(tpm, DRTM)).values), Array(6).fill(new Uint8Array(32).fill(0xff)));
  },
);

/** A server that does to each connection what the next of `scripts` says. */
async function fakeTpm(
  t: { after(fn: () => void): void } & Parameters<typeof tempDir>[0],
  scripts: ((socket: Socket) => void)[],
): Promise<string> {
  const path = join(tempDir(t), 'fake.sock');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}); // the other end hangs up
    scripts.shift()?.(socket);
  }).listen(path);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return path;
}

test('a host that is not there, that hangs up, or that answers nonsense is an error of ours', async (t) => {
  const nowhere = join(tempDir(t), 'nothing.sock');
  await assert.rejects(openSwtpm({ path: nowhere }), isCode('io'));
  await assert.rejects(openSwtpmControl({ path: nowhere }), isCode('io'));
  await assert.rejects(openTpmDevice(nowhere), isCode('io'));
  const answerWith = (answer: Uint8Array) => (socket: Socket) => void socket.once('data', () => socket.end(answer));
  const path = await fakeTpm(t, [
    answerWith(Uint8Array.of(0x80, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)),
    answerWith(new Uint8Array(11)),
    (socket) => socket.once('data', () => socket.destroy()),
    answerWith(Uint8Array.of(0x80, 1)),
  ]);
  for (const code of ['response_malformed', 'response_malformed', 'io', 'io']) {
    const tpm = await openSwtpm({ path });
    await assert.rejects(tpm.send(GET_RANDOM), isCode(code));
    // And it stays failed: what comes next on it could be anything.
    await assert.rejects(tpm.send(GET_RANDOM), isCode('io'));
    await tpm.close();
  }
});

const answerOf = (octet: number): Uint8Array =>
  concatBytes(
    encode(responseHeader, { tag: 'noSessions', responseSize: 20, responseCode: 0 }),
    Uint8Array.of(0, 8),
    new Uint8Array(8).fill(octet),
  );

test('a late answer never meets the next command: after a time-out the connection is closed for good', async (t) => {
  let late: (() => void) | undefined;
  const path = await fakeTpm(t, [
    (socket) => {
      let asked = 0;
      socket.on('data', () => {
        asked++;
        if (asked === 1) late = () => socket.write(answerOf(1));
        else socket.write(answerOf(2));
      });
    },
  ]);
  const tpm = await openSwtpm({ path }, { timeoutMs: 50 });
  const first = tpm.send(GET_RANDOM);
  const second = tpm.send(GET_RANDOM);
  await assert.rejects(first, isCode('io'));
  late?.();
  await assert.rejects(second, isCode('io'));
  await assert.rejects(tpm.send(GET_RANDOM), isCode('io'));
  await tpm.close();
});

test('an answer to nothing spoils the connection too; an answer in pieces does not', async (t) => {
  let hungUp = (): void => {};
  const hangUp = new Promise<void>((resolve) => {
    hungUp = resolve;
  });
  const path = await fakeTpm(t, [
    (socket) => {
      socket.resume().once('close', hungUp);
      socket.write(answerOf(1));
    },
    (socket) =>
      void socket.once('data', async () => {
        for (const octet of answerOf(3)) {
          socket.write(Uint8Array.of(octet));
          await sleep(1);
        }
      }),
    (socket) => void socket.once('data', () => socket.write(concatBytes(answerOf(4), Uint8Array.of(0)))),
  ]);
  const spoiled = await openSwtpm({ path });
  await hangUp;
  await assert.rejects(spoiled.send(GET_RANDOM), isCode('io'));
  await spoiled.close();
  const pieces = await openSwtpm({ path });
  assert.deepEqual(await pieces.send(GET_RANDOM), answerOf(3));
  await pieces.close();
  const trailing = await openSwtpm({ path });
  await assert.rejects(trailing.send(GET_RANDOM), isCode('response_malformed'));
  await trailing.close();
});

test('a TPM that asks for the same command again gets it', async (t) => {
  const again = encode(responseHeader, { tag: 'noSessions', responseSize: 10, responseCode: 0x922 });
  let asked = 0;
  const path = await fakeTpm(t, [
    (socket) => void socket.on('data', () => socket.write(++asked < 3 ? again : answerOf(5))),
  ]);
  const tpm = await openSwtpm({ path });
  assert.deepEqual(await tpm.send(GET_RANDOM), answerOf(5));
  assert.equal(asked, 3);
  await tpm.close();
});
