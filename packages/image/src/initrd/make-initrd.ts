// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, zstdCompressSync } from 'node:zlib';
import { ascii, utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { type CpioMember, type TreeEntry, writeCpio } from '@vouchsafe/disk';
import { type ModuleSource, modulesInLoadOrder } from './kernel-modules.ts';
import { programWithLibraries, treeOf } from './program.ts';

/** Found when it is needed: in a bundle there is no address to find it from, and loading that must not fail. */
const initPath = (): string => fileURLToPath(new URL('../../assets/initrd-init.sh', import.meta.url));

/** What the init needs of busybox, besides the shell. */
const APPLETS = ['sh', 'mount', 'insmod', 'cat', 'sleep', 'switch_root', 'dd', 'od', 'grep', 'poweroff', 'tr'];

/** What reaches the root on a virtual machine. */
export const VIRTUAL_MACHINE_MODULES = ['virtio_pci', 'virtio_blk', 'virtio_console', 'dm-verity', 'erofs'];

export interface InitrdRequest {
  /** A `lib/modules/VERSION` folder, or what is in one. */
  readonly modulesRoot: ModuleSource;
  readonly modules: readonly string[];
  /** Where programs and libraries are taken from: `/`, or an unpacked system. */
  readonly systemRoot: string;
  /** Statically linked. */
  readonly busybox: string;
  readonly dmsetup: string;
}

/** Sizes beyond this are a mistake in the recipe. */
const MAX_INITRD_BYTES = 512 * 1024 * 1024;

/**
 * An initrd that opens a verity root from `roothash=` on the measured command line, and nothing else: busybox, dmsetup, the
 * modules with their dependencies, and an init that fails closed. The same inputs give the same bytes.
 * @returns a cpio archive, compressed with zstd.
 * @throws {ImageError} 'module_missing', 'module_cycle', 'library_missing', 'path_invalid', 'elf_malformed'.
 * @throws {BytesError}
 */
export function makeInitrd(request: InitrdRequest): Uint8Array {
  const modules = modulesInLoadOrder(
    request.modulesRoot,
    request.modules.filter((name) => name !== ''),
  );
  const files = [
    { path: 'init', from: initPath(), mode: 0o755 },
    { path: 'bin/busybox', from: request.busybox, mode: 0o755 },
    ...programWithLibraries(request.systemRoot, request.dmsetup, 'bin/dmsetup'),
  ];
  const order = modules.map(({ path }) => `${basename(path)}\n`).join('');
  const own = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };
  const more: TreeEntry[] = [
    ...modules.map(({ path, withContent }): TreeEntry => {
      const content = withContent((source) => memorySource(readBytes(source, 0, source.size), path));
      return { kind: 'file', path: `modules/${basename(path)}`, ...own, mode: 0o644, content };
    }),
    ...APPLETS.map((applet): TreeEntry => ({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox', ...own })),
    ...['dev', 'proc', 'sys', 'run', 'sysroot'].map((path): TreeEntry => ({ kind: 'directory', path, ...own })),
    { kind: 'file', path: 'modules/order', ...own, mode: 0o644, content: memorySource(ascii(order)) },
    { kind: 'character', path: 'dev/console', ...own, mode: 0o600, device: { major: 5, minor: 1 } },
  ];
  const sink = new MemorySink(MAX_INITRD_BYTES, 'initrd');
  writeCpio(sink, cpioMembers(treeOf(files, more)));
  // One thread and a fixed level: the same input gives the same output.
  return zstdCompressSync(sink.bytes(), { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
}

const FILE_TYPES = { directory: 0o040000, file: 0o100000, symlink: 0o120000, character: 0o020000 } as const;

/** By path, so that a folder comes before what is in it. */
function cpioMembers(entries: readonly TreeEntry[]): CpioMember[] {
  return entries
    .filter((entry) => entry.path !== '')
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((entry): CpioMember => {
      if (entry.kind === 'hardlink' || !(entry.kind in FILE_TYPES)) throw new Error(`an initrd has no ${entry.kind}`);
      const mode = entry.mode | FILE_TYPES[entry.kind as keyof typeof FILE_TYPES];
      if (entry.kind === 'file') return { path: entry.path, mode, content: entry.content };
      if (entry.kind === 'symlink') return { path: entry.path, mode, content: memorySource(utf8(entry.target)) };
      if (entry.kind === 'character') return { path: entry.path, mode, rdev: entry.device };
      return { path: entry.path, mode };
    });
}
