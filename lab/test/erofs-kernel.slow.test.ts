// SPDX-License-Identifier: Apache-2.0
// Debian's kernel mounts what we write, plain and compressed, and says the same of every file as the input does. One boot.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ascii } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { OutputFile } from '@vouchsafe/bytes/node';
import { type TreeAttributes, type TreeEntry, writeErofsImage } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { type Listing, linesOf, listDisks, testListing } from './kernel-listing.ts';

const TIMESTAMP = 1_700_000_000;
const tools = needsTool('qemu-system-x86_64', 'busybox', 'getfattr', 'dpkg');

const at = (path: string, overrides: Partial<TreeAttributes> = {}): TreeAttributes => ({
  path,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeSeconds: TIMESTAMP,
  ...overrides,
});

/** Octets that compress, and differ from size to size. */
function octets(size: number): Uint8Array {
  let state = size;
  return Uint8Array.from({ length: size }, (_, i) => {
    if (i % 7 === 0) state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (i >> 9) % 5 === 4 ? (state >>> (i % 24)) & 0xff : state >>> 27;
  });
}

const file = (path: string, size: number, overrides: Partial<TreeAttributes> = {}): TreeEntry => ({
  kind: 'file',
  content: memorySource(octets(size)),
  ...at(path, overrides),
});

/** An access control list of two users. Linux, include/uapi/linux/posix_acl_xattr.h. */
const ACL = Uint8Array.from(
  [
    [2, 0, 0, 0],
    [1, 0, 7, 0, 255, 255, 255, 255],
    [2, 0, 5, 0, 232, 3, 0, 0],
    [4, 0, 5, 0, 255, 255, 255, 255],
    [16, 0, 7, 0, 255, 255, 255, 255],
    [32, 0, 4, 0, 255, 255, 255, 255],
  ].flat(),
);
/** cap_net_raw+ep. Linux, include/uapi/linux/capability.h, struct vfs_cap_data. */
const CAPABILITY = Uint8Array.from([1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const LABEL = { name: 'security.selinux', value: ascii('system_u:object_r:usr_t:s0') };

const SIZES = [0, 1, 4031, 4064, 4065, 4095, 4096, 4097, 8192, 8193, 65_537, 131_073, 1_048_576, 1_048_577, 3_333_333];
const MADE: readonly TreeEntry[] = [
  { kind: 'directory', ...at('made', { mode: 0o1777, xattrs: [LABEL] }) },
  ...SIZES.map((size) => file(`made/${size}`, size)),
  ...SIZES.map((size) => file(`made/late-${size}`, size, { mtimeSeconds: size, uid: 70_000, xattrs: [LABEL] })),
  { kind: 'file', content: memorySource(new Uint8Array(2_000_000)), ...at('made/zeros') },
  file('made/capable', 5000, { mode: 0o4755, xattrs: [{ name: 'security.capability', value: CAPABILITY }, LABEL] }),
  file('made/ima', 100, { xattrs: [{ name: 'security.ima', value: octets(70) }] }),
  file('made/acl', 100, { mode: 0o674, xattrs: [{ name: 'system.posix_acl_access', value: ACL }] }),
  file('made/trusted', 9, { xattrs: [{ name: 'trusted.overlay.opaque', value: ascii('y') }] }),
  file('made/user', 9, {
    xattrs: [
      { name: 'user.large', value: octets(9000) },
      { name: 'user.a', value: ascii('b') },
    ],
  }),
  { kind: 'hardlink', path: 'made/second', target: 'made/8193' },
  { kind: 'symlink', target: '../made/4096', ...at('made/link', { mode: 0o777 }) },
  { kind: 'symlink', target: 'x/'.repeat(2000), ...at('made/long-link', { mode: 0o777 }) },
  { kind: 'fifo', ...at('made/pipe') },
  { kind: 'socket', ...at('made/socket') },
  { kind: 'character', device: { major: 1, minor: 3 }, ...at('made/null', { mode: 0o666 }) },
  { kind: 'block', device: { major: 259, minor: 70_000 }, ...at('made/disk', { mode: 0o660 }) },
  { kind: 'directory', ...at('many', { mode: 0o755 }) },
  ...Array.from({ length: 2000 }, (_, i) => file(`many/a name with number ${i} and ü`, i % 40)),
];

describe('the kernel reads what we write', tools, () => {
  const cleanups: (() => void)[] = [];
  let tree: readonly TreeEntry[] = [];
  let boot: Listing;

  before(async () => {
    if (tools.skip !== undefined) return;
    const dir = tempDir({ after: (fn) => void cleanups.push(fn as () => void) });
    // Real files, small and large, with links between them.
    const real = await openTree('/usr/share/zoneinfo', { xattrs: 'ignore' }, 'folder');
    cleanups.push(() => real[Symbol.dispose]());
    const under = (path: string): string => (path === '' ? 'zoneinfo' : `zoneinfo/${path}`);
    const placed = real.entries.map(
      (entry): TreeEntry =>
        entry.kind === 'hardlink'
          ? { ...entry, path: under(entry.path), target: under(entry.target) }
          : { ...entry, path: under(entry.path) },
    );
    tree = [{ kind: 'directory', ...at('', { mode: 0o755 }) }, ...MADE, ...placed];
    const disks = (['none', 'lz4'] as const).map((compression) => {
      const path = join(dir, compression);
      using output = OutputFile.create(path);
      writeErofsImage(
        { tree, uuid: '48c56959-5579-5709-85af-f5393936a4d8', timestampSeconds: TIMESTAMP, compression },
        output,
      );
      output.commit();
      return path;
    });
    boot = await listDisks(disks);
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  testListing('plain', 'vda', { tree: () => tree, boot: () => boot });
  testListing('LZ4', 'vdb', { tree: () => tree, boot: () => boot });

  test('the kernel has nothing to complain of', () => {
    const said = linesOf(boot, 'dmesg').filter((line) => line.includes('erofs'));
    assert.equal(said.filter((line) => line.includes('mounted with root inode')).length, 2, said.join('\n'));
    assert.deepEqual(
      said.filter((line) => !/mounted with root inode|erofs: /.test(line)),
      [],
    );
  });
});
