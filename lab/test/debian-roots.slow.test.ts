// SPDX-License-Identifier: Apache-2.0
// Two Debian roots, one from a tar archive of mmdebstrap and one from an OCI image with a layer more, as disks; Debian's kernel
// mounts both through dm-verity in one boot, and says the same of every file as the input does.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { architecturePartitionType, clampTimes, type TreeEntry } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { writeDdi } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { type Listing, linesOf, listDisks, testListing } from './kernel-listing.ts';

const SEED = '48c56959-5579-5709-85af-f5393936a4d8';
const TIMESTAMP = 1_700_000_000;
const tools = needsTool(
  'qemu-system-x86_64',
  'busybox',
  'getfattr',
  'dpkg',
  'mmdebstrap',
  'umoci',
  'veritysetup',
  'setfattr',
);

async function writeDisk(path: string, tree: readonly TreeEntry[]): Promise<string> {
  const typeUuid = (role: 'root' | 'root-verity') => architecturePartitionType(role, 'x86-64');
  const { rootHashes } = await writeDdi({
    partitions: [
      {
        name: 'root',
        typeUuid: typeUuid('root'),
        verity: { role: 'data', matchKey: 'root' },
        content: { kind: 'erofs', tree },
      },
      { name: 'hash', typeUuid: typeUuid('root-verity'), verity: { role: 'hash', matchKey: 'root' } },
    ],
    seedUuid: SEED,
    timestampSeconds: TIMESTAMP,
    path,
  });
  return toHex([...rootHashes.values()][0] ?? new Uint8Array());
}

/** Folders that the second layer takes away: half of the octets, since an emulated machine hashes what is left. */
const WITHOUT = ['usr/share/zoneinfo', 'usr/share/locale', 'usr/lib/x86_64-linux-gnu'];

/** An OCI image of the archive, with a layer on top that takes folders away and adds what Debian's root does not have. */
function writeOci(dir: string, archive: string): string {
  const layout = join(dir, 'layout');
  const top = join(dir, 'top');
  for (const path of WITHOUT) {
    mkdirSync(join(top, dirname(path)), { recursive: true });
    writeFileSync(join(top, dirname(path), `.wh.${basename(path)}`), '');
  }
  writeFileSync(join(top, 'usr/share/added'), 'by the second layer\n');
  execFileSync('setfattr', ['-n', 'user.layer', '-v', 'second', join(top, 'usr/share/added')]);
  execFileSync('ln', [join(top, 'usr/share/added'), join(top, 'usr/share/second-name')]);
  const layer = join(dir, 'top.tar');
  const owners = ['--owner=1234', '--group=4321', '--mtime=@1600000000'];
  execFileSync('tar', ['--format=posix', '--xattrs', ...owners, '-cf', layer, '-C', top, 'usr']);
  execFileSync('umoci', ['init', '--layout', layout]);
  execFileSync('umoci', ['new', '--image', `${layout}:v1`]);
  for (const path of [archive, layer]) execFileSync('umoci', ['raw', 'add-layer', '--image', `${layout}:v1`, path]);
  return layout;
}

describe('Debian roots through dm-verity', tools, () => {
  const cleanups: (() => void)[] = [];
  const trees: (readonly TreeEntry[])[] = [];
  let boot: Listing;
  let missing: string | undefined;

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    const archive = join(dir, 'debian.tar');
    const made = spawnSync('mmdebstrap', ['--variant=minbase', '--quiet', 'bookworm', archive], { encoding: 'utf8' });
    if (made.status !== 0) {
      missing = `missing tool: an archive of Debian packages for mmdebstrap (${made.stderr.trim().split('\n').at(-1)})`;
      return;
    }
    const disks: string[] = [];
    const rootHashes: string[] = [];
    for (const [i, input] of [archive, writeOci(dir, archive)].entries()) {
      const opened = await openTree(input, { impliedMtimeSeconds: TIMESTAMP });
      cleanups.push(() => opened[Symbol.dispose]());
      const tree = clampTimes(opened.entries, TIMESTAMP);
      const disk = join(dir, `${i}.raw`);
      rootHashes.push(await writeDisk(disk, tree));
      disks.push(disk);
      trees.push(tree);
    }
    boot = await listDisks(disks, rootHashes, 600_000);
  });
  after(() => {
    for (const cleanup of cleanups.reverse()) cleanup();
  });

  test('both were mounted, each from its verity device', (t) => {
    if (missing !== undefined) return t.skip(missing);
    assert.match(boot.serial, /list-images: \/dev\/vda is read/);
    assert.match(boot.serial, /list-images: \/dev\/vdb is read/);
    const said = linesOf(boot, 'dmesg').filter((line) => line.includes('erofs'));
    assert.equal(
      said.filter((line) => /erofs: \(device dm-[01]\): mounted with root inode/.test(line)).length,
      2,
      said.join('\n'),
    );
    const [first, second] = trees;
    assert.ok((first?.length ?? 0) > 5000);
    const has = (tree: typeof first, path: string): boolean => tree?.some((entry) => entry.path === path) ?? false;
    for (const path of WITHOUT) assert.deepEqual([has(first, path), has(second, path)], [true, false], path);
    assert.deepEqual([has(first, 'usr/share/added'), has(second, 'usr/share/added')], [false, true]);
  });
  for (const [i, name] of ['mmdebstrap', 'OCI image'].entries()) {
    const input = { tree: () => trees[i] ?? [], boot: () => boot, missing: () => missing };
    testListing(name, i === 0 ? 'vda' : 'vdb', input);
  }
});
