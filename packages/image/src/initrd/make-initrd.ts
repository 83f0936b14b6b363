// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, zstdCompressSync } from 'node:zlib';
import { ascii, utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { type CpioMember, type TreeEntry, writeCpio } from '@vouchsafe/disk';
import { type ModuleSource, modulesInLoadOrder } from './kernel-modules.ts';
import { placedPrograms, SIGNATURE_PROGRAMS, VAR_MODULES, VAR_PROGRAMS, VAR_WISHES } from './optional-programs.ts';
import { programWithLibraries, treeOf } from './program.ts';

/** Found when it is needed: in a bundle there is no address to find it from, and loading that must not fail. */
const scriptPath = (name: string): string => fileURLToPath(new URL(`../../assets/initrd/${name}`, import.meta.url));

/** What the init and its parts need of busybox, besides the shell. */
const APPLETS = [
  ...['base64', 'cat', 'chmod', 'cp', 'cut', 'dd', 'insmod', 'ln', 'mkdir', 'mount', 'od', 'poweroff', 'rm', 'sed'],
  ...['sh', 'sha256sum', 'sleep', 'switch_root', 'tr', 'umount'],
];

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
  /** Extends enter-initrd and leave-initrd into PCR 11, as systemd does; it does, unless given. */
  readonly extendsPhases?: boolean;
  /** In PEM: the root hash must be signed with its key. */
  readonly rootHashCertificate?: Uint8Array | undefined;
  /** Opens an encrypted /var, and makes it on the first boot. */
  readonly hasVar?: boolean;
  /** Is told the place of each program that the above bring along. */
  readonly onProgram?: (path: string) => void;
}

/** Sizes beyond this are a mistake in the recipe. */
const MAX_INITRD_BYTES = 512 * 1024 * 1024;

/**
 * An initrd that opens a verity root, or a verity /usr, from a root hash on the measured command line: busybox, dmsetup, the
 * modules with their dependencies, and an init that fails closed. The same inputs give the same bytes.
 * @returns a cpio archive, compressed with zstd.
 * @throws {ImageError} 'module_missing', 'module_cycle', 'library_missing', 'path_invalid', 'elf_malformed'.
 * @throws {DiskError} for a module whose compression is malformed. @throws {BytesError}
 */
export async function makeInitrd(request: InitrdRequest): Promise<Uint8Array> {
  const { systemRoot, extendsPhases = true, rootHashCertificate, hasVar = false } = request;
  const wanted = [...request.modules.filter((name) => name !== ''), ...(hasVar ? VAR_MODULES : [])];
  const modules = await modulesInLoadOrder(request.modulesRoot, wanted, hasVar ? VAR_WISHES : []);
  const parts = ['partitions.sh', 'verity.sh', 'root.sh'];
  // What is sealed for the initrd must be closed behind it.
  if (extendsPhases || hasVar) parts.push('tpm.sh');
  if (rootHashCertificate !== undefined) parts.push('signature.sh');
  if (hasVar) parts.push('var.sh');
  const programs = [
    ...(rootHashCertificate === undefined
      ? []
      : placedPrograms(systemRoot, SIGNATURE_PROGRAMS, 'the root hash signature')),
    ...(hasVar ? placedPrograms(systemRoot, VAR_PROGRAMS, 'an encrypted /var') : []),
  ];
  for (const { from } of programs) request.onProgram?.(from);
  const files = [
    { path: 'init', from: scriptPath('init.sh'), mode: 0o755 },
    ...parts.map((name) => ({ path: `lib/vouchsafe/${name}`, from: scriptPath(name), mode: 0o644 })),
    { path: 'bin/busybox', from: request.busybox, mode: 0o755 },
    ...programWithLibraries(systemRoot, request.dmsetup, 'bin/dmsetup'),
    ...programs,
  ];
  const order = modules.map(({ path }) => `${basename(path)}${isWish(path) ? ' optional' : ''}\n`).join('');
  const own = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0 };
  const more: TreeEntry[] = [
    ...modules.map(
      ({ path, content }): TreeEntry => ({
        kind: 'file',
        path: `modules/${basename(path)}`,
        ...own,
        mode: 0o644,
        content,
      }),
    ),
    ...APPLETS.map((applet): TreeEntry => ({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox', ...own })),
    ...['dev', 'proc', 'sys', 'run', 'sysroot'].map((path): TreeEntry => ({ kind: 'directory', path, ...own })),
    { kind: 'file', path: 'modules/order', ...own, mode: 0o644, content: memorySource(ascii(order)) },
    ...(rootHashCertificate === undefined ? [] : [certificateFile(rootHashCertificate, own)]),
    { kind: 'character', path: 'dev/console', ...own, mode: 0o600, device: { major: 5, minor: 1 } },
  ];
  const sink = new MemorySink(MAX_INITRD_BYTES, 'initrd');
  writeCpio(sink, cpioMembers(treeOf(files, more)));
  // One thread and a fixed level: the same input gives the same output.
  return zstdCompressSync(sink.bytes(), { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
}

/** A wish loads only where the machine has what it drives. */
const isWish = (path: string): boolean => VAR_WISHES.includes(basename(path, '.ko').replaceAll('-', '_'));

function certificateFile(
  pem: Uint8Array,
  own: { readonly uid: number; readonly gid: number; readonly mtimeSeconds: number },
): TreeEntry {
  return { kind: 'file', path: 'etc/root-hash.crt', ...own, mode: 0o644, content: memorySource(pem, 'certificate') };
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
