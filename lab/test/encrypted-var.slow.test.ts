// SPDX-License-Identifier: Apache-2.0
// An encrypted /var on one disk and one TPM, through several boots: the first makes it, the second finds what was left in it,
// an update signed with the same pcr key opens it, and an image that is signed for boot only does not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { digest } from '@vouchsafe/crypto';
import { readLuks2 } from '@vouchsafe/disk';
import { makeUki } from '@vouchsafe/image';
import { type BootResult, bootDisk, runVouchsafe, STUB } from '@vouchsafe/lab';
import { openPe, readSmallSection, sectionSource } from '@vouchsafe/pe';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { needsTool, startSwtpm, tempDir } from '@vouchsafe/testing';
import {
  assertPredicted,
  type BuiltRecipe,
  buildRecipe,
  pcrsOf,
  prepareKeys,
  readPartition,
  replaceUki,
  textOf,
  writePartition,
} from './recipe-support.ts';

const tools = needsTool(
  ...['qemu-system-x86_64', 'swtpm', 'dmsetup', 'busybox', 'dpkg', 'cryptsetup', 'openssl', 'mke2fs'],
  ...['systemd-cryptenroll', 'tpm2'],
);
const LINES = ['initrd: { root-hash-signature: required }', 'var: { size: 48M }'];

/** The image with another command line, signed for boot, with the policies of the one that it was. */
async function withOtherCommandLine(uki: string, keys: string, path: string): Promise<void> {
  using source = FileSource.open(uki);
  using stub = FileSource.open(STUB);
  const pe = openPe(source);
  const section = (name: string): Uint8Array => {
    const content = readSmallSection(pe, name);
    assert.ok(content, name);
    return content;
  };
  const whole = (name: string) => {
    const found = pe.sections.find((candidate) => candidate.name === name);
    assert.ok(found, name);
    return sectionSource(pe, found);
  };
  const signer = await openKeyFileSigner({ keyPath: join(keys, 'db.key'), certificatePath: join(keys, 'db.crt') });
  const made = await makeUki(
    stub,
    {
      linux: whole('.linux'),
      initrds: [whole('.initrd')],
      osrel: section('.osrel'),
      uname: section('.uname'),
      cmdline: utf8(`${Buffer.from(section('.cmdline')).toString()} vouchsafe.other`),
      pcrpkey: section('.pcrpkey'),
      pcrsig: section('.pcrsig'),
    },
    signer,
  );
  writeFileSync(path, made);
}

describe('an encrypted /var', tools, () => {
  let first: BuiltRecipe;
  let second: BuiltRecipe;
  let made: BootResult;
  let found: BootResult;
  let updated: BootResult;
  let foreign: BootResult;
  let volume: Uint8Array;
  let dir: string;
  const cleanups: (() => void)[] = [];

  before(async () => {
    if (tools.skip !== undefined) return;
    dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const { keys, firmwareVariables } = prepareKeys(dir);
    first = buildRecipe(dir, '1', LINES);
    second = buildRecipe(dir, '2', LINES);
    const machine = { firmwareVariables, tpmState: join(dir, 'tpm'), isDiskKept: true };
    const disk = join(dir, 'disk.raw');
    copyFileSync(first.disk, disk);
    made = await bootDisk({ ...machine, disk });
    found = await bootDisk({ ...machine, disk });
    volume = readPartition(disk, 'var');
    writePartition(second.disk, 'var', volume);
    updated = await bootDisk({ ...machine, disk: second.disk });
    const otherUki = join(dir, 'other.efi');
    await withOtherCommandLine(first.uki, keys, otherUki);
    using uki = FileSource.open(otherUki);
    replaceUki(disk, uki);
    foreign = await bootDisk({ ...machine, disk });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  test('the first boot checks the signature of the root hash, and makes the volume', () => {
    assert.match(made.serial, /vouchsafe-initrd: root hash signed/);
    assert.match(made.serial, /vouchsafe-initrd: making the encrypted \/var/);
    assertPredicted(made, first.manifest);
    assert.match(textOf(made, 'mounts'), /^\/dev\/mapper\/var \/var ext4 rw,nodev/m);
    // What the image has in /var is its first content.
    assert.match(textOf(made, 'var'), /^\/var\/lib\/app\/first$/m);
    assert.equal(textOf(made, 'boots'), '');
  });

  test('the second opens it, and finds what the first has left', () => {
    assert.doesNotMatch(found.serial, /making the encrypted/);
    assertPredicted(found, first.manifest);
    assert.equal(textOf(found, 'boots'), '1\n');
  });

  test('an update signed with the same pcr key opens it', () => {
    assertPredicted(updated, second.manifest);
    assert.equal(textOf(updated, 'boots'), '1\n1\n');
    assert.notEqual(pcrsOf(updated).get('sha256 11'), pcrsOf(found).get('sha256 11'));
  });

  test('PCR 15 tells which volume it was', () => {
    const values = [made, found, updated].map((boot) => pcrsOf(boot).get('sha256 15'));
    assert.equal(new Set(values).size, 1);
    assert.notEqual(values[0], '00'.repeat(32));
  });

  test('an image that firmware starts, with another command line, does not', () => {
    assert.equal(foreign.outcome, 'refused_by_initrd', foreign.serial);
    assert.match(foreign.serial, /vouchsafe-initrd: refused: the encrypted \/var does not open/);
    assert.equal(foreign.results.size, 0);
  });

  test('its one key slot is the TPM’s, by a signed policy of PCR 11 and by no value', () => {
    const { header, metadata } = readLuks2(memorySource(volume, 'var'));
    assert.equal(Buffer.from(header.label).toString('latin1').replace(/\0+$/, ''), 'var');
    const [token, ...more] = Object.values(metadata.tokens);
    assert.equal(more.length, 0);
    assert.equal(token?.type, 'systemd-tpm2');
    assert.deepEqual([token['tpm2-pcrs'], token['tpm2_pubkey_pcrs']], [[], [11]]);
    assert.deepEqual(Object.keys(metadata.keyslots), token.keyslots);
  });

  test('the command opens it with this TPM, brought to where the manifest says that the initrd has it; not before', async (t) => {
    const [path, signatures, key] = ['var.luks', 'pcrsig.json', 'slot.key'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(path, volume);
    using uki = FileSource.open(first.uki);
    writeFileSync(signatures, readSmallSection(openPe(uki), '.pcrsig') ?? '');
    const swtpm = await startSwtpm(t, join(dir, 'tpm'));
    const unseal = (): string =>
      runVouchsafe('tpm', 'unseal', path, '--pcrsig', signatures, '--tpm', `swtpm:${swtpm.path}`, '-o', key);
    assert.throws(unseal, { code: 'tool_failed' });
    const { boots, events } = first.manifest;
    const on = boots.find(({ condition }) => condition.secureBoot === 'on');
    const digests = (on?.events ?? []).flatMap((i) => (events[i]?.pcr === 11 ? [events[i].digests.sha256] : []));
    const phase = toHex(digest('sha256', utf8('enter-initrd')));
    await swtpm.tool('tpm2_pcrextend', ...[...digests, phase].map((value) => `11:sha256=${value}`));
    unseal();
    execFileSync('cryptsetup', ['open', '--test-passphrase', '--key-file', key, path]);
  });
});
