// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { TreeEntry } from '@vouchsafe/disk';
import { ElfFile } from '../elf/elf-file.ts';
import { ImageError } from '../error.ts';

/** The kernel takes - and _ in module names for the same. */
const normalise = (name: string): string => name.replaceAll('-', '_');

/** A kernel's modules: a `lib/modules/VERSION` folder, or what is in one. */
export type ModuleSource = string | readonly TreeEntry[];

/** A module where it lies: below its folder, which may be on this machine or in a package. */
export interface KernelModule {
  readonly path: string;
  /** Runs something with the module open. */
  readonly withContent: <T>(use: (content: ByteSource) => T) => T;
}

/**
 * The wanted modules and all that they depend on, in the order in which they load. Dependencies are read
 * from the modules themselves (their .modinfo section), so that neither depmod nor its index is needed. The order depends
 * on the files' content and paths alone.
 * @throws {ImageError} 'module_missing', 'module_cycle', 'elf_malformed'. @throws {BytesError}
 */
export function modulesInLoadOrder(source: ModuleSource, wanted: readonly string[]): KernelModule[] {
  const { files, builtIn } = typeof source === 'string' ? modulesOfFolder(source) : modulesOfTree(source);
  const root = typeof source === 'string' ? source : 'modules';
  const ordered = new Map<string, KernelModule>();
  /** The modules that wait for the one at hand, the first one wanted first. */
  const waiting = new Set<string>();
  const add = (name: string, need: 'hard' | 'soft'): void => {
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
    const module = files.get(key);
    if (module === undefined) {
      if (need === 'soft') return;
      throw new ImageError(
        'module_missing',
        `${root}: there is no module ${name}; is it of this kernel, and not compressed?`,
      );
    }
    waiting.add(key);
    const info = moduleInfo(module);
    for (const soft of info.softBefore) add(soft, 'soft');
    for (const needed of info.depends) add(needed, 'hard');
    waiting.delete(key);
    ordered.set(key, module);
  };
  for (const name of wanted) add(name, 'hard');
  return [...ordered.values()];
}

interface Modules {
  /** By their normalised names. */
  readonly files: ReadonlyMap<string, KernelModule>;
  readonly builtIn: ReadonlySet<string>;
}

function modulesOfFolder(root: string): Modules {
  const files = new Map<string, KernelModule>();
  try {
    // Sorted, as folders have no order of their own; of two with one name `updates/` counts, as with depmod.
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!path.endsWith('.ko')) continue;
      const withContent = <T>(use: (content: ByteSource) => T): T => {
        using source = FileSource.open(join(root, path));
        return use(source);
      };
      files.set(normalise(basename(path, '.ko')), { path, withContent });
    }
    return { files, builtIn: builtInNames(readFileSync(join(root, 'modules.builtin'), 'utf8')) };
  } catch (cause) {
    const message = `${root}: expected a lib/modules/VERSION folder with modules.builtin: ${(cause as Error).message}`;
    throw new ImageError('module_missing', message, { cause });
  }
}

const MAX_LIST_BYTES = 4 * 1024 * 1024;

function modulesOfTree(entries: readonly TreeEntry[]): Modules {
  const files = new Map<string, KernelModule>();
  let builtIn: ReadonlySet<string> | undefined;
  for (const entry of [...entries].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    if (entry.kind !== 'file') continue;
    const { path, content } = entry;
    if (path === 'modules.builtin' && content.size <= MAX_LIST_BYTES) {
      builtIn = builtInNames(Buffer.from(readBytes(content, 0, content.size)).toString('latin1'));
    }
    if (path.endsWith('.ko')) files.set(normalise(basename(path, '.ko')), { path, withContent: (use) => use(content) });
  }
  if (builtIn === undefined)
    throw new ImageError('module_missing', 'expected modules.builtin beside the modules, found none');
  return { files, builtIn };
}

function builtInNames(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').map((line) => normalise(basename(line, '.ko'))));
}

/** What a module says of itself. Linux, include/linux/module.h, MODULE_INFO: NUL-terminated key=value texts. */
function moduleInfo(module: KernelModule): { readonly depends: string[]; readonly softBefore: string[] } {
  const section = module.withContent((content) => new ElfFile(content).section('.modinfo')) ?? new Uint8Array(0);
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
