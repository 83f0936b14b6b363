// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { parseUtf8, TextError } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import { openDebianControl } from '@vouchsafe/disk/node';
import { ImageError } from '../error.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { parseDpkgStatus, parseMd5sums } from './dpkg.ts';
import type { InstalledPackage } from './installed-package.ts';

const MAX_CONTROL_BYTES = 16 * 1024 * 1024;

/**
 * The Debian packages that a recipe gives as files, of the root and of the kernel: unpacked they are there, and no database
 * says so.
 * @throws {ImageError} 'packages_malformed'. @throws {DiskError} @throws {BytesError}
 */
export async function givenPackages({ root, kernel }: Recipe, folder: string): Promise<InstalledPackage[]> {
  const paths = [
    ...root.flatMap(({ kind, path }) => (kind === 'deb' ? [path] : [])),
    ...(kernel.kind === 'packages' ? kernel.paths : []),
  ];
  const found: InstalledPackage[] = [];
  for (const path of new Set(paths)) found.push(...(await packageOf(resolve(folder, path))));
  return found;
}

async function packageOf(path: string): Promise<InstalledPackage[]> {
  using control = await openDebianControl(path);
  const text = (name: string): string | undefined => {
    const file = control.entries.find((entry) => entry.path === name);
    if (file?.kind !== 'file') return undefined;
    if (file.content.size > MAX_CONTROL_BYTES) throw new ImageError('limit', `${path}: ${name}: more than 16 MiB`);
    try {
      return parseUtf8(readBytes(file.content, 0, file.content.size));
    } catch (cause) {
      if (!(cause instanceof TextError)) throw cause;
      throw new ImageError('packages_malformed', `${path}: ${name}: expected text in UTF-8`, { cause });
    }
  };
  const said = text('control');
  if (said === undefined) throw new ImageError('packages_malformed', `${path}: expected a file control, found none`);
  const files = parseMd5sums(text('md5sums') ?? '');
  return parseDpkgStatus(said, path, () => files);
}

/** Each once: what a database lists as well counts as it stands there. */
export function withGiven(known: readonly InstalledPackage[], given: readonly InstalledPackage[]): InstalledPackage[] {
  const key = ({ name, version, architecture }: InstalledPackage): string => `${name} ${version} ${architecture}`;
  const keys = new Set(known.map(key));
  return [...known, ...given.filter((one) => !keys.has(key(one)))];
}
