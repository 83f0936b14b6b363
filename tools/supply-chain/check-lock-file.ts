// SPDX-License-Identifier: Apache-2.0
import type { LockedPackage } from './lock-file.ts';

/** Packages that would run a program when they are installed, which `.npmrc` keeps them from; and why they are here all the same. */
const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  esbuild:
    'bundles commands and tests, in the workshop alone; its script looks for the program of this platform, which it has as a package of its own',
};

/** Findings as lines: what comes from elsewhere than a registry, without a digest, or would run a program that nobody has looked at. */
export function checkLockFile(packages: readonly LockedPackage[]): string[] {
  const findings: string[] = [];
  for (const { path, name, isMember, integrity, resolved, hasInstallScript } of packages) {
    if (isMember) continue;
    if (integrity === undefined)
      findings.push(`${path}: expected a digest (integrity) in package-lock.json, found none`);
    if (resolved !== undefined)
      findings.push(`${path}: expected a package of the registry, found one from ${resolved}`);
    if (hasInstallScript && !Object.hasOwn(INSTALL_SCRIPTS, name)) {
      findings.push(`${path}: has an install script; say in tools/supply-chain/check-lock-file.ts why it may be here`);
    }
  }
  const present = new Set(packages.filter((one) => one.hasInstallScript).map(({ name }) => name));
  for (const name of Object.keys(INSTALL_SCRIPTS)) {
    if (!present.has(name))
      findings.push(`${name}: listed for its install script, and it has none; remove it from the list`);
  }
  return findings;
}
