// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package as package-lock.json has it. https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export interface LockedPackage {
  /** From the root: 'node_modules/a/node_modules/b', 'apps/server'; '' for the root itself. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** Of this checkout, and not from a registry. */
  readonly isMember: boolean;
  /** Not needed by what the product is made of. */
  readonly isDev: boolean;
  readonly isOptional: boolean;
  readonly hasInstallScript: boolean;
  readonly license: string | undefined;
  /** Subresource Integrity. */
  readonly integrity: string | undefined;
  /** Where it was got from; undefined for the registry of whoever installs. */
  readonly resolved: string | undefined;
  readonly dependsOn: readonly string[];
}

interface Entry {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const FOLDER = 'node_modules/';

/** All packages of the lock file but links, by path. */
export function readLockFile(root: string): LockedPackage[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Entry>>;
  };
  return Object.entries(packages)
    .filter(([, { link }]) => link !== true)
    .map(([path, entry]) => packageOf(path, entry))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function packageOf(path: string, entry: Entry): LockedPackage {
  const at = path.lastIndexOf(FOLDER);
  return {
    path,
    name: entry.name ?? (at === -1 ? path : path.slice(at + FOLDER.length)),
    version: entry.version ?? '',
    isMember: at === -1,
    isDev: entry.dev === true || entry.devOptional === true,
    isOptional: entry.optional === true,
    hasInstallScript: entry.hasInstallScript === true,
    license: entry.license,
    integrity: entry.integrity,
    resolved: entry.resolved,
    dependsOn: Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }),
  };
}

/** Which package a name means to another: the nearest above it, as Node.js looks for modules. */
export function resolveDependency(
  packages: readonly LockedPackage[],
  from: LockedPackage,
  name: string,
): LockedPackage | undefined {
  const byPath = new Map(packages.map((one) => [one.path, one]));
  const member = packages.find((one) => one.isMember && one.name === name);
  for (let path = from.path; ; path = parentOf(path)) {
    const found = byPath.get(`${path === '' ? '' : `${path}/`}${FOLDER}${name}`);
    if (found !== undefined || path === '') return found ?? member;
  }
}

/** 'node_modules/a' of 'node_modules/a/node_modules/b', the root of 'node_modules/a' and of 'apps/server'. */
function parentOf(path: string): string {
  const at = path.lastIndexOf(`/${FOLDER}`);
  return at === -1 ? '' : path.slice(0, at);
}
