// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../error.ts';
import { type ControlFields, parseControl } from './control-fields.ts';
import type { InstalledPackage } from './installed-package.ts';

/**
 * The packages of a dpkg status file whose files are there. dpkg(1), "Package states": of those that were removed, or never
 * unpacked, none are.
 * @param filesOf the list of a package, by its name, and with its architecture where the list has it in its name.
 * @throws {ImageError} 'packages_malformed', 'limit'.
 */
export function parseDpkgStatus(
  text: string,
  label: string,
  filesOf: (name: string, architecture: string | undefined) => readonly string[],
): InstalledPackage[] {
  return [...parseControl(text, label)].filter(hasFiles).map((fields): InstalledPackage => {
    const name = required(fields, 'package', label);
    const architecture = fields.get('architecture');
    return {
      manager: 'dpkg',
      name,
      version: required(fields, 'version', label),
      architecture,
      source: sourceOf(fields),
      supplier: fields.get('maintainer'),
      files: filesOf(name, architecture),
    };
  });
}

const WITHOUT_FILES = ['not-installed', 'config-files', 'half-installed'];

/** The third word; what has no status, as in images without dpkg, is there. */
function hasFiles(fields: ControlFields): boolean {
  const state = fields.get('status')?.split(/\s+/)[2];
  return state === undefined || !WITHOUT_FILES.includes(state);
}

function required(fields: ControlFields, key: string, label: string): string {
  const value = fields.get(key);
  if (value !== undefined && value !== '') return value;
  const name = fields.get('package') ?? 'a package';
  throw new ImageError('packages_malformed', `${label}: ${name.slice(0, 80)}: expected the field ${key}, found none`);
}

/** `NAME`, or `NAME (VERSION)`. Debian Policy 4.7, section 5.6.1. */
function sourceOf(fields: ControlFields): InstalledPackage['source'] {
  const [, name, version] = /^(\S+)(?:\s+\((\S+)\))?$/.exec(fields.get('source') ?? '') ?? [];
  return name === undefined ? undefined : { name, version };
}

/** Paths of a `.list` file: one a line, absolute, folders too; the root is `/.`. */
export function parseDpkgList(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.slice(1))
    .filter((path) => path !== '' && path !== '.');
}

/** Paths of an `.md5sums` file: a digest, two blanks, a path without a leading slash. */
export function parseMd5sums(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const path = /^[0-9a-f]{32} [ *](.+)$/.exec(line)?.[1];
    return path === undefined ? [] : [path.replace(/^\.?\//, '')];
  });
}
