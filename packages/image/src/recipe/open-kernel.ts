// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { overlayTrees, type TreeEntry } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { ImageError } from '../error.ts';
import type { KernelInput } from './kernel-input.ts';

/** A kernel with what belongs to it; what is read of it can be read until it is closed. */
export interface OpenKernel extends Disposable {
  /** As `uname -r` says. */
  readonly version: string;
  readonly image: ByteSource;
  /** Of the kernel's modules and their lists, by their paths below `lib/modules/VERSION`. */
  readonly modules: readonly TreeEntry[];
}

/** Where distributions put a kernel; Debian and its like in /boot, Fedora and Arch beside its modules. */
const KERNEL_PATHS = [/^boot\/vmlinuz-([^/]+)$/, /^(?:usr\/)?lib\/modules\/([^/]+)\/vmlinuz$/] as const;

/**
 * Finds the kernel of a folder or of packages, and its modules.
 * @param folder that paths are meant from.
 * @throws {ImageError} 'kernel_missing'. @throws {DiskError} as `openTree`. @throws {BytesError}
 */
export async function openKernel(input: KernelInput, folder: string, work: LongWork = {}): Promise<OpenKernel> {
  const stack = new DisposableStack();
  try {
    const paths = input.kind === 'folder' ? [input.path] : input.paths;
    const trees: (readonly TreeEntry[])[] = [];
    for (const path of paths) {
      const options = { ...work, xattrs: 'ignore' } as const;
      trees.push(
        stack.use(await openTree(resolve(folder, path), options, input.kind === 'folder' ? 'folder' : 'deb')).entries,
      );
    }
    const [first = []] = trees;
    return {
      ...findKernel(trees.length === 1 ? first : overlayTrees(trees), input, paths.join(', ')),
      [Symbol.dispose]: () => stack.dispose(),
    };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

function findKernel(
  tree: readonly TreeEntry[],
  input: KernelInput,
  label: string,
): Omit<OpenKernel, typeof Symbol.dispose> {
  const found = new Map<string, ByteSource>();
  for (const entry of tree) {
    const version = entry.kind === 'file' ? versionOf(entry.path) : undefined;
    if (version !== undefined && entry.kind === 'file' && !found.has(version)) found.set(version, entry.content);
  }
  const versions = [...found.keys()].filter((version) => input.version === undefined || version === input.version);
  const [version] = versions;
  if (version === undefined || versions.length > 1) {
    const wanted = input.version === undefined ? 'one kernel, boot/vmlinuz-VERSION' : `the kernel ${input.version}`;
    const there = [...found.keys()].sort().join(', ') || 'none';
    throw new ImageError('kernel_missing', `${label}: expected ${wanted}, found ${there}; say which by its version`);
  }
  const prefixes = [`lib/modules/${version}/`, `usr/lib/modules/${version}/`];
  const modules = tree.flatMap((entry): TreeEntry[] => {
    const prefix = prefixes.find((candidate) => entry.path.startsWith(candidate));
    return prefix === undefined ? [] : [{ ...entry, path: entry.path.slice(prefix.length) }];
  });
  return { version, image: found.get(version) as ByteSource, modules };
}

function versionOf(path: string): string | undefined {
  for (const pattern of KERNEL_PATHS) {
    const version = pattern.exec(path)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}
