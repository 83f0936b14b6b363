// SPDX-License-Identifier: Apache-2.0
// Every usage text has an example that works.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import { EXIT } from '../src/exit-code.ts';
import { COMMANDS, NOUNS } from '../src/noun.ts';
import { madePe, madeVariableStore } from './made-efi.ts';
import { ENVIRONMENT, MAIN, vouchsafe } from './support.ts';

const BOOT_LOG = fileURLToPath(new URL('../../../packages/eventlog/testdata/tcg/agile.bin', import.meta.url));

const EVIDENCE = fileURLToPath(new URL('../../../packages/appraise/testdata/boot-with-ima.json', import.meta.url));

/** What the examples take for granted. */
function scene(dir: string): void {
  writeFileSync(join(dir, 'root.erofs'), new Uint8Array(16 * 4096).fill(7));
  writeFileSync(join(dir, 'app.bin'), 'app');
  for (const name of ['verity', 'fsverity', 'db']) {
    const key = [
      '-newkey',
      'rsa:2048',
      '-noenc',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
      '-subj',
      `/CN=${name}`,
    ];
    execFileSync('openssl', ['req', '-x509', ...key], { cwd: dir, stdio: 'ignore' });
  }
  const made = ['root.hash', '--fec-device', 'root.fec', '--root-hash-file', 'root.roothash'];
  assert.equal(vouchsafe(dir, 'verity', 'format', 'root.erofs', ...made).code, 0);
  const signed = ['app.bin', 'app.bin.sig', '--key', 'fsverity.key', '--certificate', 'fsverity.crt'];
  assert.equal(vouchsafe(dir, 'fsverity', 'sign', ...signed).code, 0);
  copyFileSync(EVIDENCE, join(dir, 'boot.evidence.json'));
  sceneOfImages(dir);
  sceneOfLogs(dir);
  sceneOfDisks(dir);
}

/** The log of a boot twice, and the PCRs that it leads to. */
function sceneOfLogs(dir: string): void {
  for (const name of ['boot.log', 'before.log', 'after.log']) copyFileSync(BOOT_LOG, join(dir, name));
  const { stdout } = vouchsafe(dir, 'log', 'replay', 'boot.log');
  writeFileSync(join(dir, 'pcrs.yaml'), stdout);
}

/** A stub and a kernel that nothing runs, an image of them, and a variable store. */
function sceneOfImages(dir: string): void {
  writeFileSync(join(dir, 'linuxx64.efi.stub'), madePe('systemd-stub 257.1'));
  writeFileSync(join(dir, 'addonx64.efi.stub'), madePe('systemd-addon 257.1'));
  writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
  execFileSync('cpio', ['-o', '-H', 'newc', '-F', 'initrd.img', '--quiet'], { cwd: dir, input: 'app.bin\n' });
  writeFileSync(join(dir, 'bad.efi'), madePe(undefined));
  writeFileSync(join(dir, 'os-release'), 'ID=made\n');
  writeFileSync(join(dir, 'OVMF_VARS_4M.fd'), madeVariableStore());
  const contents = ['--linux', 'vmlinuz', '--os-release', '@os-release', '--cmdline', `roothash=${'4f'.repeat(32)}`];
  const built = ['--stub', 'linuxx64.efi.stub', ...contents, '-o', 'linux.efi'];
  assert.equal(vouchsafe(dir, 'uki', 'build', ...built).code, 0);
  const signed = ['linux.efi', '--key', 'db.key', '--certificate', 'db.crt', '-o', 'linux.signed.efi'];
  assert.equal(vouchsafe(dir, 'uki', 'sign', ...signed).code, 0);
  assert.equal(vouchsafe(dir, 'keys', 'generate', 'keys').code, 0);
  mkdirSync(join(dir, 'rootfs', 'sbin'), { recursive: true });
  mkdirSync(join(dir, 'kernel', 'boot'), { recursive: true });
  copyFileSync(join(dir, 'vmlinuz'), join(dir, 'kernel/boot/vmlinuz-6.1.0'));
  const recipe = `name: edge\nversion: 0.1.0\nroot: { folder: rootfs }\nkernel: { folder: kernel }\ninitrd: { files: [initrd.img] }\nstub: linuxx64.efi.stub\nkeys: keys\n`;
  writeFileSync(join(dir, 'recipe.yaml'), recipe);
  const named = ['--name', 'edge', '--image-version', '1', '--manifest-private-key', 'keys/manifest.key'];
  const predicted = vouchsafe(dir, 'pcr', 'predict', 'linux.efi', '--manifest', 'edge.manifest.json', ...named);
  assert.equal(predicted.code, 0, predicted.stderr);
  // The folder of keys is made anew by another example.
  copyFileSync(join(dir, 'keys/manifest.pub'), join(dir, 'manifest.pub'));
}

/** A machine with a software TPM, what was sealed to it, and what it signed. */
async function sceneOfTpm(t: TestContext, dir: string): Promise<void> {
  const machine = join(dir, 'machine');
  mkdirSync(machine);
  const setup = ['--tpm2', '--tpm-state', machine, '--create-ek-cert', '--config', join(machine, 'setup.conf')];
  writeFileSync(
    join(machine, 'setup.conf'),
    `create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = ${machine}/ca.conf\ncreate_certs_tool_options = ${machine}/ca.options\n`,
  );
  const paths = ['signingkey = key.pem', 'issuercert = issuer.pem', 'certserial = serial'];
  const lines = paths.map((line) => line.replace('= ', `= ${machine}/`));
  writeFileSync(join(machine, 'ca.conf'), [`statedir = ${machine}`, ...lines, ''].join('\n'));
  writeFileSync(join(machine, 'ca.options'), '--platform-manufacturer a\n--platform-version 1\n--platform-model a\n');
  execFileSync('swtpm_setup', setup, { stdio: 'pipe' });
  const authorities = ['swtpm-localca-rootca-cert.pem', 'issuer.pem'].map((name) => readFileSync(join(machine, name)));
  writeFileSync(join(dir, 'tpm-makers.pem'), Buffer.concat(authorities));
  const { path } = await startSwtpm(t, machine);
  ENVIRONMENT['VOUCHSAFE_TPM'] = `swtpm:${path}`;
  writeFileSync(join(dir, 'disk.key'), 'the key of the disk');
  writeFileSync(join(dir, 'pw'), 'recover');
  const sealed = ['disk.key', '--pcrs', 'sha256:7', '-o', 'disk.sealed'];
  assert.equal(vouchsafe(dir, 'tpm', 'seal', ...sealed).code, 0);
  const evidence = join(dir, 'evidence', 'sys/kernel/security/tpm0');
  mkdirSync(evidence, { recursive: true });
  copyFileSync(BOOT_LOG, join(evidence, 'binary_bios_measurements'));
  const nonce = ['--nonce', '00112233445566778899aabbccddeeff', '--pcrs', 'sha256:23'];
  const quote = ['--attest', 'q.attest', '--signature', 'q.sig', '--pcr-values', 'q.pcrs', '--ak-public', 'ak.pem'];
  assert.equal(vouchsafe(dir, 'tpm', 'quote', ...nonce, ...quote).code, 0);
}

/** Definitions and trees, and disks made of them. */
function sceneOfDisks(dir: string): void {
  const files = {
    'repart.d/10-root.conf': 'Type=root\nFormat=erofs\nCopyFiles=/\nVerity=data\nVerityMatchKey=root',
    'repart.d/11-root-verity.conf': 'Type=root-verity\nVerity=hash\nVerityMatchKey=root',
    'repart.d/12-root-verity-sig.conf': 'Type=root-verity-sig\nVerity=signature\nVerityMatchKey=root',
    'tree/etc/os-release': 'ID=made\n',
    'extension/usr/bin/tool': 'tool',
    'settings/etc/made.conf': 'made',
    'service/usr/lib/os-release': 'ID=made\n',
    'service/usr/lib/systemd/system/app.service': '[Service]\nExecStart=/usr/bin/app\n',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, dirname(path)), { recursive: true });
    writeFileSync(
      join(dir, path),
      path.endsWith('.conf') && path.startsWith('repart.d') ? `[Partition]\n${text}\n` : text,
    );
  }
  const made = ['repart.d', '--copy-source', 'tree', '--key', 'verity.key', '--certificate', 'verity.crt'];
  assert.equal(vouchsafe(dir, 'image', 'disk', ...made, '-o', 'disk.raw').code, 0);
  for (const name of ['os_1.0.raw', 'os_1.1.raw']) copyFileSync(join(dir, 'disk.raw'), join(dir, name));
}

/** Files that an example makes, and that are there already. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  'verity format': ['root.hash', 'root.fec'],
  'fsverity sign': ['app.bin.sig'],
  'uki sign': ['linux.signed.efi'],
  'keys generate': ['keys'],
  'image init': ['first.yaml'],
  'tpm seal': ['disk.sealed'],
  'tpm unseal': ['disk.key'],
  'tpm quote': ['q.attest', 'q.sig', 'q.pcrs', 'ak.pem'],
  'image disk': ['os_1.0.raw'],
};

/** The log of the scene is another machine's, and that is what the example says. */
const ANSWERS_NO: ReadonlySet<string> = new Set(['log explain']);

/** The examples of these need a service, or are one: serve.test.ts, service.test.ts and operator-verbs.test.ts try them. */
const OF_SERVICE: ReadonlySet<string> = new Set([
  'agent',
  'audit',
  'baseline',
  'demo',
  'device',
  'inventory',
  'operator',
  'policy activate',
  'policy list',
  'policy set',
  'reference',
  'secret',
  'serve',
  'token',
  'trust',
  'webhook',
]);
const isForOneMachine = (words: readonly string[]): boolean =>
  !OF_SERVICE.has(words[0] ?? '') && !OF_SERVICE.has(words.join(' '));

test(
  'each usage has an example that works',
  needsTool('cpio', 'openssl', 'swtpm', 'swtpm_setup', 'certtool'),
  async (t) => {
    const dir = tempDir(t);
    scene(dir);
    await sceneOfTpm(t, dir);
    const nouns = Object.keys(NOUNS).map((noun) => [noun]);
    const usages = [[], ...nouns, ...COMMANDS.map(([words]) => words).filter((words) => words.length > 1)];
    for (const words of usages.filter(isForOneMachine)) {
      await t.test(`vouchsafe ${words.join(' ')}`, () => {
        const help = vouchsafe(dir, ...words, '-h');
        assert.equal(help.code, 0);
        const example = /\nExample:\n {2}vouchsafe (.*)\n$/.exec(help.stdout)?.[1];
        assert.ok(example, help.stdout);
        const made = Object.entries(MADE).find(([command]) => example.startsWith(command))?.[1] ?? [];
        for (const name of made) rmSync(join(dir, name), { force: true, recursive: true });
        const command = `"${process.execPath}" "${MAIN}" ${example.replace('| xxd', '| od -c').replace('/usr/bin/*', 'app.bin')}`;
        const { status, stderr } = spawnSync('sh', ['-ec', command], { cwd: dir, env: ENVIRONMENT, encoding: 'utf8' });
        assert.equal(status, ANSWERS_NO.has(words.join(' ')) ? EXIT.no : EXIT.good, stderr);
      });
    }
  },
);
