// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FileSource } from '@vouchsafe/bytes/node';
import { ElfFile } from '../elf/elf-file.ts';
import { ImageError } from '../error.ts';

/** The kernel takes - and _ in module names for the same. */
const normalise = (name: string): string => name.replaceAll('-', '_');

/**
 * The files of the wanted modules and of all that they depend on, in the order in which they load. Dependencies are read
 * from the modules themselves (their .modinfo section), so that neither depmod nor its index is needed. The order depends
 * on the files' content and paths alone.
 * @param root a `lib/modules/VERSION` folder.
 * @throws {ImageError} 'module_missing', 'module_cycle', 'elf_malformed'. @throws {BytesError}
 */
export function modulesInLoadOrder(root: string, wanted: readonly string[]): string[] {
  const { files, builtIn } = modulesOf(root);
  const ordered = new Map<string, string>();
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
    const path = files.get(key);
    if (path === undefined) {
      if (need === 'soft') return;
      throw new ImageError(
        'module_missing',
        `${root}: there is no module ${name}; is it of this kernel, and not compressed?`,
      );
    }
    waiting.add(key);
    const info = moduleInfo(path);
    for (const soft of info.softBefore) add(soft, 'soft');
    for (const needed of info.depends) add(needed, 'hard');
    waiting.delete(key);
    ordered.set(key, path);
  };
  for (const name of wanted) add(name, 'hard');
  return [...ordered.values()];
}

/** Modules of a kernel by their normalised names: as files, and built in. */
function modulesOf(root: string): {
  readonly files: ReadonlyMap<string, string>;
  readonly builtIn: ReadonlySet<string>;
} {
  const files = new Map<string, string>();
  try {
    // Sorted, as folders have no order of their own; of two with one name `updates/` counts, as with depmod.
    for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()) {
      if (path.endsWith('.ko')) files.set(normalise(basename(path, '.ko')), join(root, path));
    }
    const lines = readFileSync(join(root, 'modules.builtin'), 'utf8').split('\n');
    return { files, builtIn: new Set(lines.map((line) => normalise(basename(line, '.ko')))) };
  } catch (cause) {
    const message = `${root}: expected a lib/modules/VERSION folder with modules.builtin: ${(cause as Error).message}`;
    throw new ImageError('module_missing', message, { cause });
  }
}

/** What a module says of itself. Linux, include/linux/module.h, MODULE_INFO: NUL-terminated key=value texts. */
function moduleInfo(path: string): { readonly depends: string[]; readonly softBefore: string[] } {
  using source = FileSource.open(path);
  const section = new ElfFile(source).section('.modinfo') ?? new Uint8Array(0);
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
