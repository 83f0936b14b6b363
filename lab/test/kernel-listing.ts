// SPDX-License-Identifier: Apache-2.0
// What a kernel says of the file systems on disks, beside the trees that they were made from.
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ascii, toHex } from '@vouchsafe/base';
import { MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { cpioMembers, FILE_TYPES, type TreeEntry, writeCpio } from '@vouchsafe/disk';
import { modulesInLoadOrder, programWithLibraries, treeOf, VIRTUAL_MACHINE_MODULES } from '@vouchsafe/image';
import { type BootResult, bootKernel, debianCloudKernel } from '@vouchsafe/lab';

const GUEST = fileURLToPath(new URL('../guest/list-images.sh', import.meta.url));

/** What the guest handed out. */
export type Listing = Pick<BootResult, 'serial' | 'results'>;

/** Boots Debian's kernel with these disks; what it finds on each is in files named for it: vda.stat and so on. */
export async function listDisks(
  disks: readonly string[],
  rootHashes: readonly string[] = [],
  timeoutMs?: number,
): Promise<Listing> {
  const kernel = debianCloudKernel();
  const initrd = await guestInitrd(kernel.modulesRoot, rootHashes);
  const more = timeoutMs === undefined ? {} : { timeoutMs };
  return bootKernel({ kernel: kernel.image, initrd, cmdline: 'quiet', disks, memoryMib: 768, ...more });
}

export function linesOf(boot: Listing, name: string): string[] {
  const bytes = boot.results.get(name);
  assert.ok(bytes, `the guest handed out no ${name}:\n${boot.serial}`);
  return Buffer.from(bytes).toString('utf8').trimEnd().split('\n');
}

/** Known once the machine has run. */
export interface ListingInput {
  readonly tree: () => readonly TreeEntry[];
  readonly boot: () => Listing;
  /** Why there is nothing to compare. */
  readonly missing?: () => string | undefined;
}

/** Compares every mode, owner, link, size, time, device, content, target and extended attribute with the tree's. */
export function testListing(name: string, disk: string, input: ListingInput): void {
  const { tree, boot, missing } = input;
  const check = (what: string, run: () => void): void => {
    test(`${name}: ${what}`, (t) => {
      const why = missing?.();
      if (why === undefined) run();
      else t.skip(why);
    });
  };
  check('mode, owner, links, size, time and device of every file', () => {
    const found = linesOf(boot(), `${disk}.stat`).map((line) => {
      const [mode, uid, gid, links, size, time, major, minor, ...name] = line.split(' ');
      const isDirectory = (Number.parseInt(mode as string, 16) & 0o170000) === FILE_TYPES.directory;
      const fields = [mode, uid, gid, links, isDirectory ? '*' : size, time, major, minor];
      return [pathOf(name.join(' ')), fields.join(' ')] as const;
    });
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expectedStats(tree())));
  });

  check('the content of every file', () => {
    const contents = new Map(
      tree().flatMap((entry) =>
        entry.kind === 'file'
          ? [[entry.path, toHex(digest('sha256', readBytes(entry.content, 0, entry.content.size)))] as const]
          : [],
      ),
    );
    for (const entry of tree()) {
      const target = entry.kind === 'hardlink' ? contents.get(entry.target) : undefined;
      if (target !== undefined) contents.set(entry.path, target);
    }
    const found = linesOf(boot(), `${disk}.sums`).map((line) => [pathOf(line.slice(66)), line.slice(0, 64)] as const);
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(contents));
  });

  check('the target of every link', () => {
    const found = linesOf(boot(), `${disk}.links`).map((line) => {
      const [name = '', target = ''] = line.slice(1, -1).split("' -> '");
      return [pathOf(name), target] as const;
    });
    const links = tree().flatMap((entry) => (entry.kind === 'symlink' ? [[entry.path, entry.target] as const] : []));
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(links));
  });

  check('every extended attribute', () => {
    const found: Record<string, string> = {};
    let path = '';
    for (const line of linesOf(boot(), `${disk}.xattrs`)) {
      if (line.startsWith('# file: ')) path = line.slice(8);
      else if (line !== '') found[`${path} ${line.split('=')[0]}`] = line.slice(line.indexOf('=0x') + 3);
    }
    const files = new Map(tree().flatMap((entry) => (entry.kind === 'hardlink' ? [] : [[entry.path, entry] as const])));
    const wanted = tree().flatMap((entry) => {
      const file = files.get(entry.kind === 'hardlink' ? entry.target : entry.path);
      return (file?.xattrs ?? []).map(({ name, value }) => [`${entry.path} ${name}`, toHex(value)]);
    });
    assert.deepEqual(found, Object.fromEntries(wanted));
  });
}

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

async function guestInitrd(modulesRoot: string, rootHashes: readonly string[]): Promise<Uint8Array> {
  const ordered = await modulesInLoadOrder(modulesRoot, VIRTUAL_MACHINE_MODULES);
  const modules = ordered.map(({ path }) => join(modulesRoot, path));
  const files = [
    { path: 'init', from: GUEST, mode: 0o755 },
    { path: 'bin/busybox', from: '/bin/busybox', mode: 0o755 },
    ...programWithLibraries('/', '/usr/bin/getfattr', 'bin/getfattr'),
    ...(rootHashes.length === 0 ? [] : programWithLibraries('/', '/usr/sbin/veritysetup', 'bin/veritysetup')),
    ...modules.map((from) => ({ path: `modules/${basename(from)}`, from, mode: 0o644 })),
  ];
  const own = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };
  const order = modules.map((path) => `${basename(path)}\n`).join('');
  const more: TreeEntry[] = [
    ...APPLETS.map((applet): TreeEntry => ({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox', ...own })),
    ...['dev', 'proc', 'sys', 'tmp', 'run', ...(rootHashes.length === 0 ? [] : ['verity'])].map(
      (path): TreeEntry => ({ kind: 'directory', path, ...own }),
    ),
    { kind: 'file', path: 'modules/order', ...own, mode: 0o644, content: memorySource(ascii(order)) },
    ...rootHashes.map((hash, i): TreeEntry => {
      const content = memorySource(ascii(`${hash}\n`));
      return { kind: 'file', path: `verity/vd${'abcdefgh'[i]}`, ...own, mode: 0o644, content };
    }),
    { kind: 'character', path: 'dev/console', ...own, mode: 0o600, device: { major: 5, minor: 1 } },
  ];
  const sink = new MemorySink(64 * 1024 * 1024, 'initrd');
  writeCpio(sink, cpioMembers(treeOf(files, more)));
  return sink.bytes();
}
