// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode } from '@vouchsafe/codec';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { decodeReturnCode, responseHeader, TpmError } from '@vouchsafe/tpm';
import { openSwtpm, openTpmDevice } from '@vouchsafe/tpm/node';

const isCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof TpmError && error.code === code;

/** TPM2_GetRandom of 8 octets. TPM 2.0 Library, Part 3, section 16.1. */
const GET_RANDOM = Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8);

test('swtpm answers commands over its Unix socket, good and bad ones', needsTool('swtpm'), async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'tpm.sock');
  const server = ['--server', `type=unixio,path=${path}`, '--flags', 'not-need-init,startup-clear'];
  const swtpm = spawn('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${dir}`, ...server], { stdio: 'ignore' });
  t.after(() => swtpm.kill());
  for (let i = 0; i < 200 && !existsSync(path); i++) await sleep(20);
  const tpm = await openSwtpm({ path });
  const random = await tpm.send(GET_RANDOM);
  assert.equal(random.length, 10 + 2 + 8);
  assert.equal(decode(responseHeader, random.subarray(0, 10)).responseCode, 0);
  const refused = await tpm.send(Uint8Array.of(0x80, 1, 0, 0, 0, 10, 0, 0, 0x7f, 0xff));
  assert.equal(decodeReturnCode(decode(responseHeader, refused).responseCode).name, 'TPM_RC_COMMAND_CODE');
  await tpm.close();
});

test('a host that is not there, that hangs up, or that answers nonsense is an error of ours', async (t) => {
  const path = join(tempDir(t), 'fake.sock');
  await assert.rejects(openSwtpm({ path }), isCode('io'));
  await assert.rejects(openTpmDevice(path), isCode('io'));
  const answers = [Uint8Array.of(0x80, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0), new Uint8Array(11), undefined];
  const server = createServer((socket) => {
    socket.once('data', () => {
      const answer = answers.shift();
      if (answer === undefined) socket.destroy();
      else socket.end(answer);
    });
  }).listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  for (const code of ['response_malformed', 'response_malformed', 'io']) {
    const tpm = await openSwtpm({ path });
    await assert.rejects(tpm.send(GET_RANDOM), isCode(code));
    await tpm.close();
  }
});
