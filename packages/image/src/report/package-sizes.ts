// SPDX-License-Identifier: Apache-2.0
import type { TreeEntry } from '@vouchsafe/disk';
import type { InstalledPackage } from '../packages/installed-package.ts';
import type { FileSize } from './file-sizes.ts';

/** What the files of a package take. */
export interface PackageSize {
  readonly name: string;
  readonly version: string;
  readonly sizeBytes: number;
  readonly files: number;
}

/** Counted under this name: files that no package brought. */
export const NO_PACKAGE = '(no package)';

/**
 * What each package takes: of a file that several have, the first by name. Links at the top, as /lib is one to /usr/lib, are
 * followed, since databases have the older paths.
 * @param entries are not asked for where there are no packages.
 */
export function packageSizes(
  packages: readonly InstalledPackage[],
  files: readonly FileSize[],
  entries: Iterable<TreeEntry>,
): PackageSize[] {
  if (packages.length === 0) return [];
  const sizes = new Map(files.map(({ name, sizeBytes }) => [name, sizeBytes]));
  const links = topLinks(entries);
  const take = (path: string): number | undefined => {
    const [top = '', ...rest] = path.split('/');
    const link = rest.length > 0 ? links.get(top) : undefined;
    const real = link === undefined ? path : [link, ...rest].join('/');
    const size = sizes.get(real);
    sizes.delete(real);
    return size;
  };
  const found = packages.map(({ name, version, files: paths }): PackageSize => {
    const taken = paths.map(take).filter((size) => size !== undefined);
    return { name, version, sizeBytes: sum(taken), files: taken.length };
  });
  const left = [...sizes.values()];
  return left.length === 0
    ? found
    : [...found, { name: NO_PACKAGE, version: '', sizeBytes: sum(left), files: left.length }];
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

function topLinks(entries: Iterable<TreeEntry>): Map<string, string> {
  const links = new Map<string, string>();
  for (const entry of entries) {
    if (entry.kind === 'symlink' && !entry.path.includes('/')) {
      links.set(entry.path, entry.target.replace(/^\/+|\/+$/g, ''));
    }
  }
  return links;
}
