// SPDX-License-Identifier: Apache-2.0
// What docs/tasks/sign-and-enrol.md tells its reader to type works, in order, in a folder with nothing but what it names.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { madePe } from './made-efi.ts';
import { ENVIRONMENT, MAIN } from './support.ts';

const PAGE = fileURLToPath(new URL('../../../docs/tasks/sign-and-enrol.md', import.meta.url));
const STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';
const FIRMWARE_VARIABLES = '/usr/share/OVMF/OVMF_VARS_4M.fd';

/** The page's blocks, without the indentation of the list that they stand in. */
function shellBlocks(): string[] {
  const text = readFileSync(PAGE, 'utf8');
  return [...text.matchAll(/^( *)```sh\n(.*?)^ *```$/gms)].map(([, indent, block]) =>
    (block ?? '').replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

function requirement() {
  const missing = [STUB, FIRMWARE_VARIABLES].filter((path) => !existsSync(path));
  if (missing.length > 0) return { skip: `missing tool: ${missing.join(', ')}` };
  return needsTool('openssl', 'softhsm2-util', 'pkcs11-tool');
}

test('the commands of docs/tasks/sign-and-enrol.md work', requirement(), (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'vmlinuz'), madePe(undefined));
  writeFileSync(join(dir, 'initrd.img'), 'initrd');
  writeFileSync(join(dir, 'os-release'), 'ID=made\n');
  writeFileSync(join(dir, 'root.roothash'), '4f'.repeat(32));
  // The reader's own token folder is left alone.
  const tokens = tempDir(t);
  mkdirSync(join(tokens, 'tokens'));
  writeFileSync(join(tokens, 'softhsm2.conf'), `directories.tokendir = ${join(tokens, 'tokens')}\nlog.level = ERROR\n`);
  const env = { ...ENVIRONMENT, SOFTHSM2_CONF: join(tokens, 'softhsm2.conf') };
  const blocks = shellBlocks();
  assert.equal(blocks.length, 7);
  for (const block of blocks) {
    const script = block.replaceAll('./vouchsafe', `"${process.execPath}" "${MAIN}"`);
    const { status, stdout, stderr } = spawnSync('sh', ['-euc', script], { cwd: dir, encoding: 'utf8', env });
    // Asking whether a forbidden image would boot is answered with no.
    assert.equal(status, block.includes('--dbx') ? 1 : 0, `${block}\n${stdout}${stderr}`);
  }
  assert.deepEqual(readdirSync(dir).toSorted(), [
    ...['dbx-update.auth', 'initrd.img', 'keys', 'linux.efi', 'linux.token.efi', 'machine-vars.fd', 'os-release'],
    ...['root.roothash', 'vmlinuz'],
  ]);
  const said = spawnSync(process.execPath, [MAIN, 'uki', 'inspect', 'linux.token.efi', '--json'], { cwd: dir, env });
  assert.equal(JSON.parse(said.stdout.toString()).signatures.length, 2);
});
