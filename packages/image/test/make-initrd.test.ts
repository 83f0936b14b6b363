// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { readCpio } from '@vouchsafe/disk';
import { makeInitrd } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { codeOfRejected, moduleOf, programOf, writeTree } from './support.ts';

/** A system with one program and two modules. The order in which files are made is the caller's. */
function request(root: string, isReversed: boolean) {
  const files = [
    ['modules/kernel/a.ko', moduleOf({ depends: 'b' })],
    ['modules/kernel/b.ko', moduleOf({})],
    ['modules/modules.builtin', ''],
    ['bin/busybox', 'a shell'],
    ['sbin/dmsetup', programOf(['libdm.so'])],
    ['usr/lib/libdm.so', programOf([])],
  ] as const;
  writeTree(root, Object.fromEntries(isReversed ? files.toReversed() : files));
  return {
    modulesRoot: join(root, 'modules'),
    modules: ['a', ''],
    systemRoot: root,
    busybox: join(root, 'bin/busybox'),
    dmsetup: join(root, 'sbin/dmsetup'),
  };
}

test('the same inputs at another place and time, made in another order, give the same bytes', async (t) => {
  const first = await makeInitrd(request(tempDir(t), false));
  assert.deepEqual(await makeInitrd(request(tempDir(t), true)), first);
});

test('folders come before what is in them, modules are listed in load order, the init is ours', async (t) => {
  const archive = memorySource(zstdDecompressSync(await makeInitrd(request(tempDir(t), false))));
  const entries = [...readCpio(archive)];
  const paths = entries.map(({ path }) => path);
  for (const path of paths) {
    const slash = path.lastIndexOf('/');
    if (slash >= 0) assert.ok(paths.indexOf(path.slice(0, slash)) < paths.indexOf(path), path);
  }
  const text = (path: string): string => {
    const entry = entries.find((candidate) => candidate.path === path);
    assert.ok(entry?.kind === 'file', path);
    return parseUtf8(readBytes(entry.content, 0, entry.content.size));
  };
  assert.equal(text('modules/order'), 'b.ko\na.ko\n');
  assert.equal(text('init'), readFileSync(new URL('../assets/initrd/init.sh', import.meta.url), 'utf8'));
  assert.ok(paths.includes('lib/x86_64-linux-gnu/libdm.so'));
});

test('what was not asked for is not there; what was asked for is, with its programs', async (t) => {
  const root = tempDir(t);
  const wanted = request(root, false);
  const paths = async (more: object): Promise<string[]> => {
    const archive = memorySource(zstdDecompressSync(await makeInitrd({ ...wanted, ...more })));
    return [...readCpio(archive)]
      .map(({ path }) => path)
      .filter((path) => /^(lib\/vouchsafe\/|etc\/|bin\/(?!busybox))/.test(path));
  };
  const parts = (list: readonly string[]): string[] => list.filter((path) => path.startsWith('lib/vouchsafe/'));
  const basic = ['partitions.sh', 'root.sh', 'verity.sh'];
  const inFolder = (names: readonly string[]): string[] => names.toSorted().map((name) => `lib/vouchsafe/${name}`);
  assert.deepEqual(parts(await paths({ extendsPhases: false })), inFolder(basic));
  assert.deepEqual(parts(await paths({})), inFolder([...basic, 'tpm.sh']));
  const rootHashCertificate = utf8('a certificate');
  assert.equal(await codeOfRejected(paths({ rootHashCertificate })), 'library_missing');
  writeTree(root, { 'usr/bin/openssl': programOf([]) });
  const signed = await paths({ rootHashCertificate });
  assert.deepEqual(parts(signed), inFolder([...basic, 'signature.sh', 'tpm.sh']));
  assert.ok(signed.includes('etc/root-hash.crt') && signed.includes('bin/openssl'));
  const modules = { 'dm-crypt': '', xts: '', ext4: '', algif_skcipher: '' };
  for (const name of Object.keys(modules)) writeTree(root, { [`modules/kernel/${name}.ko`]: moduleOf({}) });
  assert.equal(await codeOfRejected(paths({ hasVar: true })), 'library_missing');
});

/** What a function of an initrd's parts says, run by the initrd's shell. */
function saidBy(parts: readonly string[], command: string): string {
  const sources = parts.map((name) => readFileSync(new URL(`../assets/initrd/${name}`, import.meta.url), 'utf8'));
  return execFileSync('busybox', ['sh', '-c', [...sources, command].join('\n')], { encoding: 'utf8' });
}

test('a TPM command of the shell is one of the specification’s', needsTool('busybox'), () => {
  const show = 'run_tpm() { printf "$1" "$2" | od -A n -v -t x1 | tr -d \' \\n\'; }\n';
  // TPM2_PCR_Event, PCR 11, the empty password, 12 octets. TPM 2.0 Library, Part 3, 22.4.
  assert.equal(
    saidBy(['tpm.sh'], `${show}extend_pcr 11 enter-initrd`),
    ['8002', '00000029', '0000013c', '0000000b', '00000009', '40000009', '0000', '00', '0000', '000c'].join('') +
      Buffer.from('enter-initrd').toString('hex'),
  );
  // TPM2_PCR_Extend, PCR 15, one digest of SHA-256. Part 3, 22.2.
  const digest = 'a5'.repeat(32);
  assert.equal(
    saidBy(['tpm.sh', 'var.sh'], `${show}extend_sha256 15 ${digest}`),
    ['8002', '00000041', '00000182', '0000000f', '00000009', '40000009', '0000', '00', '0000'].join('') +
      `00000001000b${digest}`,
  );
});

test('the shell’s HMAC is HMAC', needsTool('busybox'), () => {
  const key = Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 37) & 0xff));
  const word = 'cryptsetup:var:0f6a8c3e-5d1b-4a52-9f43-2c1d7e8b9a60';
  assert.equal(
    saidBy(['var.sh'], `hmac_sha256 ${key.toString('hex')} ${word}`).trim(),
    createHmac('sha256', key).update(word).digest('hex'),
  );
});

const INIT = readFileSync(new URL('../assets/initrd/init.sh', import.meta.url), 'utf8');

test('when the init refuses, nothing that follows runs', needsTool('busybox'), () => {
  // The function as it stands there, with a poweroff that does nothing.
  const refuse = /^refuse\(\) \{\n[\s\S]*?^\}$/m.exec(INIT)?.[0] ?? '';
  const script = `sleep() { :; }\npoweroff() { :; }\n${refuse}\nfalse || refuse 'a reason'\necho 'still running'\n`;
  let said = '';
  assert.throws(() => {
    try {
      said = execFileSync('busybox', ['sh', '-c', script], { encoding: 'utf8' });
    } catch (error) {
      said = String((error as { stdout: unknown }).stdout);
      throw error;
    }
  });
  assert.equal(said, 'vouchsafe-initrd: refused: a reason\n');
});
