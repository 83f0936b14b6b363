// SPDX-License-Identifier: Apache-2.0
// Debian's kernel mounts what we write, plain and compressed, and says the same of every file as the input does. One boot.
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ascii, toHex } from '@vouchsafe/base';
import { MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { OutputFile } from '@vouchsafe/bytes/node';
import { digest } from '@vouchsafe/crypto';
import {
  cpioMembers,
  FILE_TYPES,
  type TreeAttributes,
  type TreeEntry,
  writeCpio,
  writeErofsImage,
} from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { modulesInLoadOrder, programWithLibraries, treeOf, VIRTUAL_MACHINE_MODULES } from '@vouchsafe/image';
import { type BootResult, bootKernel, debianCloudKernel } from '@vouchsafe/lab';
import { needsTool, tempDir } from '@vouchsafe/testing';

const TIMESTAMP = 1_700_000_000;
const tools = needsTool('qemu-system-x86_64', 'busybox', 'getfattr', 'dpkg');
const GUEST = fileURLToPath(new URL('../guest/list-images.sh', import.meta.url));

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

/** What the kernel is to say: mode, owner, links, size, time, device. The size of a directory is the file system's matter. */
function expectedStats(tree: readonly TreeEntry[]): Map<string, string> {
  const links = new Map<string, number>();
  const bump = (path: string) => links.set(path, (links.get(path) ?? 0) + 1);
  for (const entry of tree) {
    bump(entry.kind === 'hardlink' ? entry.target : entry.path);
    if (entry.kind !== 'directory') continue;
    bump(entry.path);
    if (entry.path !== '') bump(entry.path.includes('/') ? entry.path.slice(0, entry.path.lastIndexOf('/')) : '');
  }
  const stats = new Map<string, string>();
  for (const entry of tree) {
    if (entry.kind === 'hardlink') continue;
    const size =
      entry.kind === 'file' ? entry.content.size : entry.kind === 'symlink' ? Buffer.byteLength(entry.target) : 0;
    const { major, minor } = 'device' in entry ? entry.device : { major: 0, minor: 0 };
    const mode = (FILE_TYPES[entry.kind] | entry.mode).toString(16);
    const shownSize = entry.kind === 'directory' ? '*' : size;
    const fields = [mode, entry.uid, entry.gid, links.get(entry.path), shownSize, entry.mtimeSeconds];
    stats.set(entry.path, [...fields, major.toString(16), minor.toString(16)].join(' '));
  }
  for (const entry of tree) if (entry.kind === 'hardlink') stats.set(entry.path, stats.get(entry.target) as string);
  return stats;
}

/** A guest's path: './a' or '.'. */
const pathOf = (shown: string): string => (shown === '.' ? '' : shown.slice(2));

describe('the kernel reads what we write', tools, () => {
  const cleanups: (() => void)[] = [];
  let tree: readonly TreeEntry[] = [];
  let boot: Pick<BootResult, 'serial' | 'results'>;

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
    const kernel = debianCloudKernel();
    boot = await bootKernel({ kernel: kernel.image, initrd: guestInitrd(kernel.modulesRoot), cmdline: 'quiet', disks });
  });
  after(() => {
    for (const cleanup of cleanups) cleanup();
  });

  const linesOf = (name: string): string[] => {
    const bytes = boot.results.get(name);
    assert.ok(bytes, `the guest handed out no ${name}:\n${boot.serial}`);
    return Buffer.from(bytes).toString('utf8').trimEnd().split('\n');
  };

  for (const [disk, kind] of [
    ['vda', 'plain'],
    ['vdb', 'LZ4'],
  ] as const) {
    test(`${kind}: mode, owner, links, size, time and device of every file`, () => {
      const found = linesOf(`${disk}.stat`).map((line) => {
        const [mode, uid, gid, links, size, time, major, minor, ...name] = line.split(' ');
        const isDirectory = (Number.parseInt(mode as string, 16) & 0o170000) === FILE_TYPES.directory;
        const fields = [mode, uid, gid, links, isDirectory ? '*' : size, time, major, minor];
        return [pathOf(name.join(' ')), fields.join(' ')] as const;
      });
      assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expectedStats(tree)));
    });

    test(`${kind}: the content of every file`, () => {
      const contents = new Map(
        tree.flatMap((entry) =>
          entry.kind === 'file'
            ? [[entry.path, toHex(digest('sha256', readBytes(entry.content, 0, entry.content.size)))] as const]
            : [],
        ),
      );
      for (const entry of tree) {
        const target = entry.kind === 'hardlink' ? contents.get(entry.target) : undefined;
        if (target !== undefined) contents.set(entry.path, target);
      }
      const found = linesOf(`${disk}.sums`).map((line) => [pathOf(line.slice(66)), line.slice(0, 64)] as const);
      assert.deepEqual(Object.fromEntries(found), Object.fromEntries(contents));
    });

    test(`${kind}: the target of every link`, () => {
      const found = linesOf(`${disk}.links`).map((line) => {
        const [name = '', target = ''] = line.slice(1, -1).split("' -> '");
        return [pathOf(name), target] as const;
      });
      const links = tree.flatMap((entry) => (entry.kind === 'symlink' ? [[entry.path, entry.target] as const] : []));
      assert.deepEqual(Object.fromEntries(found), Object.fromEntries(links));
    });

    test(`${kind}: every extended attribute`, () => {
      const found: Record<string, string> = {};
      let path = '';
      for (const line of linesOf(`${disk}.xattrs`)) {
        if (line.startsWith('# file: ')) path = line.slice(8);
        else if (line !== '') found[`${path} ${line.split('=')[0]}`] = line.slice(line.indexOf('=0x') + 3);
      }
      const wanted = tree.flatMap((entry) =>
        entry.kind === 'hardlink'
          ? []
          : (entry.xattrs ?? []).map(({ name, value }) => [`${entry.path} ${name}`, toHex(value)]),
      );
      assert.deepEqual(found, Object.fromEntries(wanted));
    });
  }

  test('the kernel has nothing to complain of', () => {
    const said = linesOf('dmesg').filter((line) => line.includes('erofs'));
    assert.equal(said.filter((line) => line.includes('mounted with root inode')).length, 2, said.join('\n'));
    assert.deepEqual(
      said.filter((line) => !/mounted with root inode|erofs: /.test(line)),
      [],
    );
  });
});

const APPLETS = [
  'sh',
  'mount',
  'umount',
  'insmod',
  'mkdir',
  'find',
  'stat',
  'sha256sum',
  'cat',
  'cpio',
  'sync',
  'dmesg',
  'poweroff',
  'sleep',
  'echo',
];

function guestInitrd(modulesRoot: string): Uint8Array {
  const modules = modulesInLoadOrder(modulesRoot, VIRTUAL_MACHINE_MODULES).map(({ path }) => join(modulesRoot, path));
  const files = [
    { path: 'init', from: GUEST, mode: 0o755 },
    { path: 'bin/busybox', from: '/bin/busybox', mode: 0o755 },
    ...programWithLibraries('/', '/usr/bin/getfattr', 'bin/getfattr'),
    ...modules.map((from) => ({ path: `modules/${basename(from)}`, from, mode: 0o644 })),
  ];
  const own = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };
  const order = modules.map((path) => `${basename(path)}\n`).join('');
  const more: TreeEntry[] = [
    ...APPLETS.map((applet): TreeEntry => ({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox', ...own })),
    ...['dev', 'proc', 'sys', 'tmp'].map((path): TreeEntry => ({ kind: 'directory', path, ...own })),
    { kind: 'file', path: 'modules/order', ...own, mode: 0o644, content: memorySource(ascii(order)) },
    { kind: 'character', path: 'dev/console', ...own, mode: 0o600, device: { major: 5, minor: 1 } },
  ];
  const sink = new MemorySink(64 * 1024 * 1024, 'initrd');
  writeCpio(sink, cpioMembers(treeOf(files, more)));
  return sink.bytes();
}
