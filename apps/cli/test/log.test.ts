// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { vouchsafe } from './support.ts';

const TESTDATA = fileURLToPath(new URL('../../../packages/eventlog/testdata/', import.meta.url));

/** A folder with a firmware log, a list of IMA, and a userspace log. */
function made(t: Parameters<typeof tempDir>[0]): string {
  const dir = tempDir(t);
  copyFileSync(join(TESTDATA, 'tcg/agile.bin'), join(dir, 'boot.log'));
  copyFileSync(join(TESTDATA, 'ima/templates.bin'), join(dir, 'ima'));
  const record = (string: string, digest: string): string => {
    const content = { eventType: 'phase', string, bootId: '0'.repeat(32), timestamp: 1 };
    const digests = [{ hashAlg: 'sha256', digest }];
    return `\u001e${JSON.stringify({ pcr: 11, digests, content_type: 'systemd', content })}\n`;
  };
  // SHA-256 of 'enter-initrd', and of something else.
  const enter = '24ba46cb2dd2f62acc1fb63128f9ca71d9e0d0ff3d8e0a17a5d7b3c4f9f58a3e';
  writeFileSync(join(dir, 'measure.log'), record('enter-initrd', enter));
  return dir;
}

interface Shown {
  readonly kind: string;
  readonly events: readonly {
    readonly pcr: number;
    readonly type: string;
    readonly trust: string;
    readonly stage: string;
  }[];
}

test('log show: each kind by its content, as text and as JSON; several files and folders', (t) => {
  const dir = made(t);
  const text = vouchsafe(dir, 'log', 'show', 'boot.log');
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^boot\.log: firmware log \(agile\), \d+ events, sha1 sha256\n/);
  assert.match(text.stdout, /PCR 7 +firmware +EV_EFI_VARIABLE_DRIVER_CONFIG +[0-9a-f]{64} +measured: SecureBoot on\n/);
  const one: Shown = JSON.parse(vouchsafe(dir, 'log', 'show', '--json', 'ima').stdout);
  assert.deepEqual([one.kind, one.events.length, one.events[0]?.type], ['ima', 4, 'ima-ng']);
  const all: { logs: Shown[] } = JSON.parse(vouchsafe(dir, 'log', 'show', '--json', '.').stdout);
  assert.deepEqual(
    all.logs.map(({ kind }) => kind),
    ['tcg', 'ima', 'userspace'],
  );
});

test('log show: one bad file among several does not hide the others, and the status says so', (t) => {
  const dir = made(t);
  writeFileSync(join(dir, 'bad'), 'no log');
  const { code, stdout, stderr } = vouchsafe(dir, 'log', 'show', 'bad', 'ima');
  assert.equal(code, 3);
  assert.match(stdout, /^ima: IMA list/);
  assert.match(stderr, /bad: /);
  assert.equal(vouchsafe(dir, 'log', 'show', 'bad').code, 3);
  assert.equal(vouchsafe(dir, 'log', 'show', 'missing').code, 3);
  mkdirSync(join(dir, 'empty'));
  assert.equal(vouchsafe(dir, 'log', 'show', 'empty').code, 3);
});

test('A58: control characters and line feeds of a log do not reach the terminal', (t) => {
  const dir = tempDir(t);
  const content = { eventType: 'phase', string: 'x\n  99  PCR 7 \u001b[31mred', bootId: '' };
  const record = { pcr: 11, digests: [{ hashAlg: 'sha1', digest: '0'.repeat(40) }], content_type: 'systemd', content };
  writeFileSync(join(dir, 'log'), `\u001e${JSON.stringify(record)}\n`);
  const { code, stdout } = vouchsafe(dir, 'log', 'show', 'log');
  assert.equal(code, 0);
  assert.ok(!stdout.includes('\u001b'));
  // The head, the event, and the finding that its data is not what was measured.
  assert.equal(stdout.trimEnd().split('\n').length, 3);
});

test('A21: a log of 1 GB ends at once, with a code', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'huge'), '');
  truncateSync(join(dir, 'huge'), 1024 ** 3);
  const { code, stdout } = vouchsafe(dir, 'log', 'show', '--json', 'huge');
  assert.equal(code, 3);
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'log_limit');
});

test('log show --yaml: what tpm2_eventlog prints', needsTool('tpm2_eventlog'), (t) => {
  const dir = made(t);
  const { stdout } = spawnSync('tpm2_eventlog', [join(dir, 'boot.log')], { encoding: 'utf8' });
  const ours = vouchsafe(dir, 'log', 'show', '--yaml', 'boot.log');
  // Its PCR 0 is not that of a TPM that started at locality 3.
  const rest = (yaml: string): string => yaml.replace(/^ {4}0 {2}: .*$/gm, '');
  assert.equal(rest(ours.stdout), rest(stdout));
  assert.equal(vouchsafe(dir, 'log', 'show', '--yaml', 'ima').code, 2);
});

interface Replayed {
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly comparison?: readonly { readonly pcr: number; readonly bank: string; readonly result: string }[];
}

const replay = (dir: string, ...args: string[]): { readonly code: number | null; readonly answer: Replayed } => {
  const { code, stdout } = vouchsafe(dir, 'log', 'replay', '--json', ...args);
  return { code, answer: JSON.parse(stdout) };
};

test('log replay: PCRs of several logs, compared in each form of values', (t) => {
  const dir = made(t);
  const { code, answer } = replay(dir, 'boot.log', 'ima');
  assert.equal(code, 0);
  assert.deepEqual(Object.keys(answer.pcrs), ['sha1', 'sha256']);
  const sha256 = answer.pcrs.sha256 ?? {};
  assert.match(sha256['10'] ?? '', /^[0-9a-f]{64}$/);
  const entries = Object.entries(sha256);
  const forms: Readonly<Record<string, string>> = {
    'own.json': JSON.stringify({ pcrs: { sha256 } }),
    'pcrread.yaml': `  sha256:\n${entries.map(([pcr, value]) => `    ${pcr.padEnd(2)}: 0x${value.toUpperCase()}\n`).join('')}`,
    'lines.txt': entries.map(([pcr, value]) => `sha256:${pcr}:${value}\n`).join(''),
    'sysfs.txt': entries.map(([pcr, value]) => `/sys/class/tpm/tpm0/pcr-sha256/${pcr}:${value}\n`).join(''),
  };
  for (const [name, text] of Object.entries(forms)) {
    writeFileSync(join(dir, name), text);
    const compared = replay(dir, 'boot.log', 'ima', '--pcrs', name);
    assert.equal(compared.code, 0, name);
    assert.equal(compared.answer.comparison?.length, entries.length);
  }
  // sysfs itself: a folder for each bank, a file for each PCR.
  mkdirSync(join(dir, 'tpm0', 'pcr-sha256'), { recursive: true });
  for (const [pcr, value] of entries) writeFileSync(join(dir, 'tpm0', 'pcr-sha256', pcr), `${value.toUpperCase()}\n`);
  assert.equal(replay(dir, 'boot.log', 'ima', '--pcrs', 'tpm0').code, 0);
  // Without IMA's list nothing explains PCR 10; another value of PCR 4 is another boot.
  const partial = replay(dir, 'boot.log', '--pcrs', 'own.json');
  assert.equal(partial.code, 1);
  assert.deepEqual(
    partial.answer.comparison?.filter(({ result }) => result !== 'equal').map(({ pcr, result }) => [pcr, result]),
    [[10, 'unexplained']],
  );
  writeFileSync(join(dir, 'other.json'), JSON.stringify({ sha256: { 4: '00'.repeat(32) } }));
  assert.deepEqual(
    replay(dir, 'boot.log', '--pcrs', 'other.json').answer.comparison?.map(({ result }) => result),
    ['different'],
  );
  writeFileSync(join(dir, 'nonsense'), 'PCR 4 is fine');
  assert.equal(replay(dir, 'boot.log', '--pcrs', 'nonsense').code, 3);
});

test('log replay: quirks are chosen by name, and unknown ones refused', (t) => {
  const dir = made(t);
  const plain = replay(dir, 'boot.log').answer.pcrs.sha256?.['5'];
  const quirk = replay(dir, 'boot.log', '--quirk', 'exit_boot_services_unlogged').answer.pcrs.sha256?.['5'];
  assert.notEqual(plain, quirk);
  assert.equal(vouchsafe(dir, 'log', 'replay', 'boot.log', '--quirk', 'none').code, 2);
});

test('log diff: in words, with the status', (t) => {
  const dir = made(t);
  const bytes = readFileSync(join(dir, 'boot.log'));
  assert.equal(vouchsafe(dir, 'log', 'diff', 'boot.log', 'boot.log').code, 0);
  // The last octet of the last event's digest of SHA-256: its data follows, and before that its size.
  const at = bytes.lastIndexOf('Linux initrd') - 8 - 4 - 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(dir, 'after.log'), bytes);
  const { code, stdout } = vouchsafe(dir, 'log', 'diff', 'boot.log', 'after.log');
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^PCR 9, kernel: changed: linux: initrd \(Linux initrd\)\n +from [0-9a-f]{64} to [0-9a-f]{64}, as the log says\n/,
  );
  assert.equal(vouchsafe(dir, 'log', 'diff', 'boot.log', 'measure.log').code, 1);
});
