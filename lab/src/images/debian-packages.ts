// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from '../error.ts';

const CACHE = fileURLToPath(new URL('../../../.cache/lab/', import.meta.url));

/** A kernel with its modules, unpacked. */
export interface UnpackedKernel {
  readonly version: string;
  readonly image: string;
  /** Its `lib/modules/VERSION` folder. */
  readonly modulesRoot: string;
}

/**
 * Debian's kernel for virtual machines, as its mirror has it today: downloaded as a package and unpacked into the
 * checkout's cache, not installed. Needs apt-get and dpkg, no root.
 * @throws {LabError} 'input_missing', 'tool_failed'.
 */
export function debianCloudKernel(): UnpackedKernel {
  const folder = unpacked('kernel', kernelPackage);
  const [version] = readdirSync(join(folder, 'lib/modules'));
  if (version === undefined)
    throw new LabError('input_missing', `${folder}: no kernel in it; remove the folder and run again`);
  return {
    version,
    image: join(folder, `boot/vmlinuz-${version}`),
    modulesRoot: join(folder, `lib/modules/${version}`),
  };
}

/**
 * The same kernel as the package that it comes in, for a recipe that takes packages.
 * @throws {LabError} 'input_missing', 'tool_failed'.
 */
export function debianKernelPackage(): string {
  mkdirSync(CACHE, { recursive: true });
  if (kernelPackage(CACHE) === undefined) updateLists(CACHE);
  const name = kernelPackage(CACHE);
  if (name === undefined)
    throw new LabError('input_missing', 'apt knows no linux-image-cloud-amd64; run apt-get update');
  return debianPackageFiles([name])[0] as string;
}

/**
 * Debian's shim, signed by Microsoft: unpacked in the same way, as its package would pull in a whole GRUB.
 * @throws {LabError} 'input_missing', 'tool_failed'.
 */
export function debianShim(): string {
  return join(unpacked('shim', signedShimPackage), 'usr/lib/shim/shimx64.efi.signed');
}

/**
 * Debian packages as files, as its mirror has them today: downloaded into the checkout's cache, once.
 * @returns their paths, in the order of the names.
 * @throws {LabError} 'input_missing', 'tool_failed'.
 */
export function debianPackageFiles(names: readonly string[]): string[] {
  const folder = join(CACHE, 'packages');
  mkdirSync(folder, { recursive: true });
  return names.map((name) => {
    const path = join(folder, `${name}.deb`);
    if (!existsSync(path)) download(name, folder, path);
    return path;
  });
}

function download(name: string, folder: string, path: string): void {
  const draft = mkdtempSync(join(folder, 'draft-'));
  try {
    if (run('apt-cache', ['-q', 'show', name], draft, true) === '') updateLists(draft);
    renameSync(join(draft, downloadedInto(draft, name)), path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Which package is wanted; undefined when apt has no lists. */
type PackageName = (cwd: string) => string | undefined;

function unpacked(name: string, packageName: PackageName): string {
  const folder = join(CACHE, name);
  if (!existsSync(folder)) unpackInto(folder, packageName);
  return folder;
}

function unpackInto(folder: string, packageName: PackageName): void {
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, 'draft-'));
  try {
    let name = packageName(draft);
    if (name === undefined) {
      updateLists(draft);
      name = packageName(draft);
    }
    if (name === undefined)
      throw new LabError('input_missing', `apt knows no package for ${folder}; run apt-get update`);
    run('dpkg', ['-x', downloadedInto(draft, name), 'unpacked'], draft);
    moveInto(join(draft, 'unpacked'), folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Two test files may want the same at once: the later one uses what the earlier one has put there. */
function moveInto(made: string, folder: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** @returns the name of the file. */
function downloadedInto(folder: string, name: string): string {
  run('apt-get', ['download', '-qq', name], folder);
  const [file] = readdirSync(folder).filter((entry) => entry.endsWith('.deb'));
  if (file === undefined) throw new LabError('tool_failed', `apt-get download ${name} brought no package`);
  return file;
}

/** The package that the kernel's metapackage stands for; undefined when apt has no lists. */
function kernelPackage(cwd: string): string | undefined {
  const depends = run('apt-cache', ['-q', 'show', 'linux-image-cloud-amd64'], cwd, true);
  return /^Depends: (linux-image-[^\s,]+)/m.exec(depends)?.[1];
}

function signedShimPackage(cwd: string): string | undefined {
  return run('apt-cache', ['-q', 'show', 'shim-signed'], cwd, true).startsWith('Package:') ? 'shim-signed' : undefined;
}

/** A machine on which everything was installed long ago may have no lists; only root can fetch them. */
function updateLists(cwd: string): void {
  if (process.getuid?.() === 0) run('apt-get', ['update', '-qq'], cwd);
}

function run(program: string, args: readonly string[], cwd: string, mayFail = false): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    if (mayFail) return '';
    throw new LabError('tool_failed', `${program} ${args.join(' ')} failed: ${(cause as Error).message}`, { cause });
  }
}
