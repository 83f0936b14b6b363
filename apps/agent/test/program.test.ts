// SPDX-License-Identifier: Apache-2.0
// The agent as machines run it: one file, without the checkout.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatJoinToken } from '@vouchsafe/protocol';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { testAuthority } from './support/test-authority.ts';
import { NEEDS_TPM, testMachine } from './support/test-machine.ts';
import { TestService } from './support/test-service.ts';

const BUNDLER = fileURLToPath(new URL('../../../tools/bundle-agent.ts', import.meta.url));
/** As the unit has them. */
const UNIT = readFileSync(new URL('../systemd/vouchsafe-agent.service', import.meta.url), 'utf8');
const [, ...FLAGS] = /^ExecStart=(.*) \/usr\/lib/m.exec(UNIT)?.[1]?.split(' ') ?? [];
/** What the issue allows. */
const MAX_MEMORY_KIB = 90_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** systemd's side of sd_notify: prints each datagram. */
const LISTENER = `use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])) or die; $| = 1; print "bound\\n"; while (defined recv(S, $b, 4096, 0)) { print "$b\\n" }`;

test('the agent in one file: commands, and a daemon under a service manager', {
  ...NEEDS_TPM,
  ...needsTool('systemd-notify', 'perl'),
}, async (t) => {
  const dir = tempDir(t);
  const program = join(dir, 'vouchsafe-agent.cjs');
  await promisify(execFile)(process.execPath, [BUNDLER, program]);
  const machine = await testMachine(t);
  const options = { secrets: { disk: 'a key\0of octets' }, nextInMs: 1000 };
  const service = await TestService.start(await testAuthority('CA'), options);
  t.after(() => service.stop());
  const place = ['--state', machine.statePath];
  const all = [...place, '--tpm', `swtpm:${machine.swtpm.path}`, '--root', machine.root];
  const agent = (args: readonly string[], input = ''): Promise<Ended> =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [...FLAGS, program, ...args], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
      child.stdin?.end(input);
    });
  const errorOf = ({ stdout }: Ended): string => JSON.parse(stdout).error.code;
  const token = formatJoinToken({ url: service.url, caSha256: service.caSha256, token: 'token-for-one-machine' });
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, `${token}\n`);

  await t.test('before it has joined', async () => {
    assert.match((await agent(['-h'])).stdout, /enroll[\s\S]*attest[\s\S]*secret/);
    assert.equal(errorOf(await agent(['attest', ...all, '--json'])), 'not_enrolled');
    assert.equal(errorOf(await agent(['run', ...all, '--json'])), 'not_enrolled');
    const malformed = await agent(['enroll', '-', ...all, '--json'], token.slice(0, -4));
    assert.deepEqual([malformed.code, errorOf(malformed)], [3, 'join_token_malformed']);
    const usage = await agent(['enroll', '--url', service.url, ...all, '--json']);
    assert.deepEqual([usage.code, errorOf(usage)], [2, 'options_invalid']);
    if (!existsSync('/dev/tpmrm0') && !existsSync('/dev/tpm0')) {
      const none = await agent(['enroll', '-', ...place, '--json'], token);
      assert.deepEqual([none.code, errorOf(none)], [3, 'tpm_missing']);
    }
    // What needs the sources says so.
    assert.equal((await agent(['bundle', '-o', join(dir, 'other.cjs')])).code, 2);
    assert.equal(existsSync(join(dir, 'other.cjs')), false);
  });

  await t.test(
    'the daemon joins with a token file, tells the service manager, stays small, and ends when told',
    async () => {
      const socket = join(dir, 'notify');
      const listener = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => listener.kill());
      let told = '';
      listener.stdout.on('data', (chunk) => {
        told += chunk;
      });
      await once(listener.stdout, 'data');
      const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' };
      const daemon = spawn(process.execPath, [...FLAGS, program, 'run', ...all, '--token-file', tokenFile], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      t.after(() => daemon.kill('SIGKILL'));
      let said = '';
      daemon.stderr.on('data', (chunk) => {
        said += chunk;
      });
      const attestations = () => service.exchanges.filter(({ path }) => path.endsWith('evidence')).length;
      await until(
        daemon,
        () => attestations() >= 3 && /READY=1/.test(told) && /WATCHDOG=1/.test(told),
        () => said + told,
      );
      const memory = /^VmHWM:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1];
      assert.ok(Number(memory) < MAX_MEMORY_KIB, `${memory} KiB`);
      daemon.kill('SIGTERM');
      const [code] = await once(daemon, 'exit');
      assert.equal(code, 0, said);
      assert.match(said, /enrolled as machine-1\n[\s\S]*trusted: affirming[\s\S]*client certificate until 2/);
      assert.match(told, /STATUS=trusted: affirming/);
      assert.ok(!said.includes('token-for-one-machine'));
    },
  );

  await t.test('once it has joined', async () => {
    const attested = await agent(['attest', ...all, '--json', '--ear', join(dir, 'ear')]);
    assert.equal(attested.code, 0, attested.stderr);
    assert.equal(JSON.parse(attested.stdout).verdict.isTrusted, true);
    assert.equal(readFileSync(join(dir, 'ear'), 'utf8'), 'a.b.c');
    assert.equal((await agent(['secret', 'disk', ...all])).stdout, 'a key\0of octets');
    const refused = await agent(['secret', 'other', ...all]);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    const shown = await agent(['cert', ...all]);
    assert.equal(shown.stdout, readFileSync(join(machine.statePath, 'client.crt'), 'utf8'));
    const renewed = await agent(['cert', '--renew', ...all]);
    assert.notEqual(renewed.stdout, shown.stdout);
    const again = await agent(['enroll', '-', ...all, '--json'], token);
    assert.deepEqual([again.code, errorOf(again)], [3, 'already_enrolled']);
    service.options.isTrusted = false;
    const bad = await agent(['attest', ...all]);
    assert.deepEqual([bad.code, /^not trusted: contraindicated/.test(bad.stdout)], [1, true]);
    assert.equal((await agent(['cert', '--renew', ...all])).code, 1);
  });

  await t.test('a secret goes to a file descriptor alone', async () => {
    service.options.isTrusted = true;
    const child = spawn(process.execPath, [...FLAGS, program, 'secret', 'disk', '--fd', '3', ...all], {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    });
    const texts = ['', ''];
    child.stdout?.on('data', (chunk) => {
      texts[0] += chunk;
    });
    child.stdio[3]?.on('data', (chunk) => {
      texts[1] += chunk;
    });
    await once(child, 'close');
    assert.deepEqual(texts, ['', 'a key\0of octets']);
  });
});

/** Waits for what a process is to bring about. */
async function until(process_: ChildProcess, isSo: () => boolean, words: () => string): Promise<void> {
  while (!isSo()) {
    if (process_.exitCode !== null) assert.fail(`it ended with ${process_.exitCode}: ${words()}`);
    await sleep(20);
  }
}
