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
 * from the modules themselves (their .modinfo section), so that neither depmod nor its index is needed.
 * @param root a `lib/modules/VERSION` folder.
 * @throws {ImageError} 'module_missing', 'elf_malformed'. @throws {BytesError}
 */
export function modulesInLoadOrder(root: string, wanted: readonly string[]): string[] {
  const files = new Map<string, string>();
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.ko')) files.set(normalise(basename(path, '.ko')), join(root, path));
  }
  const builtIn = new Set(
    readFileSync(join(root, 'modules.builtin'), 'utf8')
      .split('\n')
      .map((line) => normalise(basename(line, '.ko'))),
  );
  const ordered = new Map<string, string>();
  const add = (name: string, isNeeded: boolean): void => {
    const key = normalise(name);
    if (ordered.has(key) || builtIn.has(key)) return;
    const path = files.get(key);
    if (path === undefined) {
      if (!isNeeded) return;
      throw new ImageError('module_missing', `${root}: there is no module ${name}; is it of this kernel?`);
    }
    const info = moduleInfo(path);
    for (const soft of info.softBefore) add(soft, false);
    for (const needed of info.depends) add(needed, true);
    ordered.set(key, path);
  };
  for (const name of wanted) add(name, true);
  return [...ordered.values()];
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
    // `softdep=pre: a b post: c`
    softBefore: values('softdep').flatMap(
      (value) => /pre:([^:]*?)(?:\s+post:|$)/.exec(value)?.[1]?.trim().split(/\s+/) ?? [],
    ),
  };
}
