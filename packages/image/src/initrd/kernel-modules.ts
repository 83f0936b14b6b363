// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ByteSource, MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { compressionOf, isReadCompression, type TreeEntry } from '@vouchsafe/disk';
import { decompressed } from '@vouchsafe/disk/node';
import { ElfFile } from '../elf/elf-file.ts';
import { ImageError } from '../error.ts';

/** The kernel takes - and _ in module names for the same. */
const normalise = (name: string): string => name.replaceAll('-', '_');

/** A kernel's modules: a `lib/modules/VERSION` folder, or what is in one. */
export type ModuleSource = string | readonly TreeEntry[];

export interface KernelModule {
  /** Where it lies below its folder, without the suffix of a compression. */
  readonly path: string;
  /** Decompressed: the kernel takes it as it is, whatever it can decompress itself. */
  readonly content: ByteSource;
}

/** A module that is not read yet: below its folder, which may be on this machine or in a package. */
interface ModuleFile {
  readonly path: string;
  /** All of it, as it lies there. */
  readonly read: () => ByteSource;
}

/** By depmod's names, of which a distribution chooses one: kmod, libkmod/libkmod-util.c. */
const SUFFIX = /\.ko(\.xz|\.zst|\.gz)?$/;
/** The largest of a distribution has some MiB. */
const MAX_MODULE_BYTES = 256 * 1024 * 1024;

/**
 * The wanted modules and all that they depend on, in the order in which they load. Dependencies are read
 * from the modules themselves (their .modinfo section), so that neither depmod nor its index is needed. The order depends
 * on the files' content and paths alone. Compressed ones (xz, zstd, gzip) are decompressed.
 * @param wishes modules that need not be there.
 * @throws {ImageError} 'module_missing', 'module_cycle', 'elf_malformed'. @throws {DiskError} for a malformed compression.
 * @throws {BytesError}
 */
export async function modulesInLoadOrder(
  source: ModuleSource,
  wanted: readonly string[],
  wishes: readonly string[] = [],
): Promise<KernelModule[]> {
  const { files, builtIn } = typeof source === 'string' ? modulesOfFolder(source) : modulesOfTree(source);
  const root = typeof source === 'string' ? source : 'modules';
  const ordered = new Map<string, KernelModule>();
  /** The modules that wait for the one at hand, the first one wanted first. */
  const waiting = new Set<string>();
  const add = async (name: string, need: 'hard' | 'soft'): Promise<void> => {
    const key = normalise(name);
    if (ordered.has(key) || builtIn.has(key)) return;
    if (waiting.has(key)) {
      // modprobe ignores soft dependencies that go in circles; they are wishes.
      if (need === 'soft') return;
      throw new ImageError(
        'module_cycle',
        `${root}: expected modules in an order, found ${[...waiting, key].join(' > ')}`,
      );
    }
    const file = files.get(key);
    if (file === undefined) {
      if (need === 'soft') return;
      throw new ImageError('module_missing', `${root}: there is no module ${name}; is it of this kernel?`);
    }
    waiting.add(key);
    const module = { path: file.path.replace(SUFFIX, '.ko'), content: await decompressedModule(file.read()) };
    const info = moduleInfo(module);
    for (const soft of info.softBefore) await add(soft, 'soft');
    for (const needed of info.depends) await add(needed, 'hard');
    waiting.delete(key);
    ordered.set(key, module);
  };
  for (const name of wanted) await add(name, 'hard');
  for (const name of wishes) await add(name, 'soft');
  return [...ordered.values()];
}

async function decompressedModule(file: ByteSource): Promise<ByteSource> {
  const compression = compressionOf(file);
  if (compression === undefined || !isReadCompression(compression)) return file;
  const sink = new MemorySink(MAX_MODULE_BYTES, file.label);
  let at = 0;
  for await (const piece of decompressed(file, compression, { maxBytes: MAX_MODULE_BYTES })) {
    sink.write(at, piece);
    at += piece.length;
  }
  return memorySource(sink.bytes(), file.label);
}

interface Modules {
  /** By their normalised names. */
  readonly files: ReadonlyMap<string, ModuleFile>;
  readonly builtIn: ReadonlySet<string>;
}

function modulesOfFolder(root: string): Modules {
  const files = new Map<string, ModuleFile>();
  try {
    // Sorted, as folders have no order of their own; of two with one name `updates/` counts, as with depmod.
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!SUFFIX.test(path)) continue;
      const read = (): ByteSource => {
        using source = FileSource.open(join(root, path));
        return memorySource(readBytes(source, 0, source.size), join(root, path));
      };
      files.set(nameOf(path), { path, read });
    }
    return { files, builtIn: builtInNames(readFileSync(join(root, 'modules.builtin'), 'utf8')) };
  } catch (cause) {
    const message = `${root}: expected a lib/modules/VERSION folder with modules.builtin: ${(cause as Error).message}`;
    throw new ImageError('module_missing', message, { cause });
  }
}

const MAX_LIST_BYTES = 4 * 1024 * 1024;

function modulesOfTree(entries: readonly TreeEntry[]): Modules {
  const files = new Map<string, ModuleFile>();
  let builtIn: ReadonlySet<string> | undefined;
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (entry.kind !== 'file') continue;
    const { path, content } = entry;
    if (path === 'modules.builtin' && content.size <= MAX_LIST_BYTES) {
      builtIn = builtInNames(Buffer.from(readBytes(content, 0, content.size)).toString('latin1'));
    }
    const read = (): ByteSource => memorySource(readBytes(content, 0, content.size), path);
    if (SUFFIX.test(path)) files.set(nameOf(path), { path, read });
  }
  if (builtIn === undefined)
    throw new ImageError('module_missing', 'expected modules.builtin beside the modules, found none');
  return { files, builtIn };
}

const nameOf = (path: string): string => normalise(basename(path).replace(SUFFIX, ''));

function builtInNames(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').map(nameOf));
}

/** What a module says of itself. Linux, include/linux/module.h, MODULE_INFO: NUL-terminated key=value texts. */
function moduleInfo({ content }: KernelModule): { readonly depends: string[]; readonly softBefore: string[] } {
  const section = new ElfFile(content).section('.modinfo') ?? new Uint8Array(0);
  const pairs = Buffer.from(section)
    .toString('latin1')
    .split('\0')
    .map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)] as const);
  const values = (key: string): string[] => pairs.filter(([k]) => k === key).map(([, value]) => value);
  return {
    depends: values('depends')
      .flatMap((value) => value.split(','))
      .filter((name) => name !== ''),
    softBefore: values('softdep').flatMap(softBefore),
  };
}

/** Of `pre: a b post: c` the a and b. */
function softBefore(value: string): string[] {
  let isBefore = false;
  return value.split(/\s+/).filter((word) => {
    if (!word.endsWith(':')) return isBefore && word !== '';
    isBefore = word === 'pre:';
    return false;
  });
}
