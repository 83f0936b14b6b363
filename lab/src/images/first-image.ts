// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../error.ts';
import { debianKernelPackage } from './debian-packages.ts';
import { writeGuestRoot } from './recipe-image.ts';

const KERNEL = 'linux-image.deb';
const RECIPE = `# A first image, for the lab: a root that reports what its boot has measured, and switches the machine off.
name: first
version: 1.0.0
root: { folder: root }
rules:
  - { paths: '**', set: { uid: 0, gid: 0 } }
kernel: { packages: [${KERNEL}] }
command-line: console=ttyS0 panic=-1 quiet
keys: keys
`;

/**
 * Writes what a first image needs: a root of this machine's own programs (a static busybox and tpm2-tools), Debian's kernel for
 * virtual machines as a package, and a recipe. The keys are for `keys generate`.
 * @param folder made; not one that has something in it.
 * @returns the recipe's path.
 * @throws {LabError} 'input_missing', 'tool_failed'. @throws {ImageError} for a program that is not there.
 */
export function writeFirstImage(folder: string): string {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new LabError(
      'input_missing',
      `${folder}: expected an empty folder, found one with files in it; name another`,
    );
  }
  const kernel = debianKernelPackage();
  mkdirSync(folder, { recursive: true });
  copyFileSync(kernel, join(folder, KERNEL));
  writeGuestRoot(join(folder, 'root'));
  const recipe = join(folder, 'recipe.yaml');
  writeFileSync(recipe, RECIPE);
  return recipe;
}
