// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { manufactureSwtpm, needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { ENVIRONMENT, MAIN, type Outcome } from './support.ts';

interface Serving {
  readonly document: { readonly url: string; readonly adminFile: string; readonly firstAdminToken?: string };
  readonly child: ChildProcess;
  /** Asks it to end; with what code it did. */
  stop(): Promise<number | null>;
}

/** `vouchsafe serve` in a process of its own, until it says where it is. */
async function serve(t: TestContext, cwd: string, ...args: string[]): Promise<Serving> {
  const all = [MAIN, 'serve', '--json', '--listen', '0', '--log-level', 'error', ...args];
  const child = spawn(process.execPath, all, { cwd, env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.trimEnd().endsWith('}')) break;
  }
  return {
    document: JSON.parse(text),
    child,
    stop: async () => {
      child.kill('SIGTERM');
      return (await ended)[0];
    },
  };
}

/** Without blocking: the service runs elsewhere, the TPM's socket here. */
function run(cwd: string, variables: NodeJS.ProcessEnv, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...ENVIRONMENT, ...variables } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

test('serve needs nothing: it makes what it needs, says the token once, and ends when it is told to', async (t) => {
  const dir = tempDir(t);
  const first = await serve(t, dir);
  assert.match(first.document.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  assert.ok((first.document.firstAdminToken ?? '').length >= 43);
  assert.equal(statSync(join(dir, 'vouchsafe-state')).mode & 0o777, 0o700);
  assert.equal(statSync(first.document.adminFile).mode & 0o777, 0o600);
  assert.equal((await run(dir, {}, ['token', 'list'])).code, 0);
  assert.equal(await first.stop(), 0);
  const second = await serve(t, dir);
  assert.equal(second.document.firstAdminToken, undefined);
  // The port is another one now, and the admin's file knows.
  assert.equal((await run(dir, {}, ['token', 'list'])).code, 0);
  assert.equal(await second.stop(), 0);
});

test('serve: the key of secrets, the trust domain and what is kept are the operator’s to say', async (t) => {
  const dir = tempDir(t);
  const key = '00112233445566778899aabbccddeeff'.repeat(2);
  writeFileSync(join(dir, 'vouchsafe.key'), `${key}\n`, { mode: 0o600 });
  const credential = await serve(t, dir, '--secret-key', 'file:vouchsafe.key', '--trust-domain', 'prod.example');
  assert.equal(statSync(join(dir, 'vouchsafe-state', 'secrets.key'), { throwIfNoEntry: false }), undefined);
  assert.equal(await credential.stop(), 0);
  // The same key from a program and from a credential; another one opens nothing.
  const printed = `command:'${process.execPath}' -e "console.log('${key}')"`;
  const spans = ['--keep-verdicts', '30d', '--keep-boot-logs', '7d', '--keep-audit', '365d'];
  assert.equal(
    await (await serve(t, dir, '--secret-key', printed, ...spans, '--limit', 'machines=10,enrolments=1')).stop(),
    0,
  );
  const quick = ['serve', '--listen', '0', '--log-level', 'error'];
  const other = await run(dir, {}, [...quick, '--secret-key', 'command:echo nonsense']);
  assert.equal(other.code, 3);
  assert.match(other.stderr, /64 hexadecimal digits/);
  assert.doesNotMatch(other.stderr, /nonsense/, 'what a program prints may be the key');
  const wrong = await run(dir, {}, [...quick]);
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /not among those given/);
  const named = [...quick, '--secret-key', 'credential:vouchsafe.key'];
  assert.match((await run(dir, {}, named)).stderr, /LoadCredentialEncrypted/);
  assert.match((await run(dir, { CREDENTIALS_DIRECTORY: join(dir, 'none') }, named)).stderr, /found none/);
  for (const args of [
    ['--secret-key', key],
    ['--secret-key', 'file:'],
    ['--keep-verdicts', '1h'],
    ['--keep-audit', '0d'],
    ['--limit', 'machines=0'],
    ['--limit', 'cows=7'],
    ['--limit', '__proto__=7'],
  ]) {
    assert.equal((await run(dir, {}, [...quick, ...args])).code, 2, `${args}`);
  }
  assert.equal(
    (await run(dir, {}, [...quick, '--trust-domain', 'Prod/x', '--secret-key', 'file:vouchsafe.key'])).code,
    3,
  );
});

test('serve --workers: several processes behind one port, and all end together', async (t) => {
  const dir = tempDir(t);
  const serving = await serve(t, dir, '--workers', '2');
  const lists = Array.from({ length: 4 }, () => run(dir, {}, ['token', 'list']));
  for (const { code, stderr } of await Promise.all(lists)) assert.equal(code, 0, stderr);
  assert.equal(await serving.stop(), 0);
});

test(
  'a machine with a TPM whose maker is trusted joins, and its quotes are its own; another maker’s is refused',
  needsTool('swtpm', 'swtpm_setup', 'swtpm_localca', 'certtool'),
  async (t) => {
    const dir = tempDir(t);
    const tpmDir = join(dir, 'tpm');
    mkdirSync(tpmDir);
    manufactureSwtpm(tpmDir);
    const swtpm = await startSwtpm(t, tpmDir);
    await serve(t, dir);
    const root = join(dir, 'root');
    const put = (path: string, text: string): void => {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    put('proc/sys/kernel/random/boot_id', '11111111-2222-4333-8444-555555555555\n');
    put('sys/kernel/security/tpm0/binary_bios_measurements', 'no boot log');
    const agent = (verb: string, ...args: string[]): Promise<Outcome> =>
      run(dir, {}, [
        'agent',
        verb,
        '--state',
        join(dir, 'agent'),
        '--tpm',
        `swtpm:${swtpm.path}`,
        '--root',
        root,
        ...args,
      ]);
    const token = async (): Promise<string> =>
      JSON.parse((await run(dir, {}, ['token', 'create', '--device', 'web-1', '--json'])).stdout).text;
    const early = await agent('enroll', await token());
    assert.notEqual(early.code, 0);
    assert.match(early.stderr, /endorsement|issuer/i);
    const makers = ['issuercert.pem', 'swtpm-localca-rootca-cert.pem', 'issuer.pem']
      .map((name) => join(tpmDir, 'ca', name))
      .filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined);
    const trusted = await run(dir, {}, ['trust', 'add', '--for', 'tpm-maker', ...makers]);
    assert.equal(trusted.code, 0, trusted.stderr);
    const joined = await agent('enroll', await token());
    assert.equal(joined.code, 0, joined.stderr);
    // The quote is good, the boot log is none: the answer is no, and says why.
    const attested = await agent('attest', '--json');
    assert.equal(attested.code, 1, attested.stderr);
    assert.match(attested.stdout, /log_malformed/);
    assert.ok(readFileSync(join(dir, 'vouchsafe-state', 'admin.json'), 'utf8').includes('token'));
  },
);
