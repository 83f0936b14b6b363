// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../error.ts';
import { type InstalledPackage, MAX_PACKAGES } from './installed-package.ts';

/**
 * The packages of an apk database: lines of a letter, a colon and a value, empty lines between packages; `F:` names a folder
 * and each `R:` a file in it. apk-package(5), apk-tools, src/database.c (apk_db_fdb_read).
 * @throws {ImageError} 'packages_malformed', 'limit'.
 */
export function parseApkInstalled(text: string, label: string): InstalledPackage[] {
  const packages: InstalledPackage[] = [];
  let fields = new Map<string, string>();
  let files: string[] = [];
  let folder = '';
  const finish = (): void => {
    if (fields.size === 0) return;
    if (packages.length >= MAX_PACKAGES) throw new ImageError('limit', `${label}: more than ${MAX_PACKAGES} packages`);
    packages.push(packageOf(fields, files, label));
    fields = new Map();
    files = [];
    folder = '';
  };
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') {
      finish();
      continue;
    }
    if (line[1] !== ':') {
      throw new ImageError('packages_malformed', `${label}:${i + 1}: expected a letter, a colon and a value`);
    }
    const [key, value] = [line[0] as string, line.slice(2)];
    if (key === 'F') folder = value === '' ? '' : `${value}/`;
    else if (key === 'R') files.push(folder + value);
    else fields.set(key, value);
  }
  finish();
  return packages;
}

function packageOf(fields: ReadonlyMap<string, string>, files: readonly string[], label: string): InstalledPackage {
  const [name, version, origin] = ['P', 'V', 'o'].map((key) => fields.get(key));
  if (!name || !version) {
    const message = `${label}: ${(name ?? 'a package').slice(0, 80)}: expected a name (P:) and a version (V:), found none`;
    throw new ImageError('packages_malformed', message);
  }
  return {
    manager: 'apk',
    name,
    version,
    architecture: fields.get('A'),
    source: origin === undefined || origin === name ? undefined : { name: origin },
    license: fields.get('L') || undefined,
    supplier: fields.get('m'),
    files,
  };
}
