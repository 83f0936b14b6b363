// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { overlayTrees, type TreeEntry } from '@vouchsafe/disk';
import { openInitrd } from '@vouchsafe/disk/node';
import type { ListedFile } from '@vouchsafe/manifest';
import type { HandedFile } from '@vouchsafe/measure';
import { sha256Of } from '../inspect/sha256-of.ts';

/**
 * The regular files of a tree, each hard link under its own name.
 * @param mount where the running system has the tree.
 * @param known digests of contents that need not be read again.
 * @throws {BytesError}
 */
export async function listedFiles(
  entries: readonly TreeEntry[],
  mount: '/' | '/usr' = '/',
  { signal, onProgress }: LongWork = {},
  known: ReadonlyMap<ByteSource, string> = new Map(),
): Promise<ListedFile[]> {
  const prefix = mount === '/' ? '/' : `${mount}/`;
  const files = new Map<string, ListedFile>();
  const total = entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.content.size : 0), 0);
  let done = 0;
  let told = 0;
  for (const entry of entries) {
    if (entry.kind !== 'file') continue;
    signal?.throwIfAborted();
    files.set(entry.path, {
      path: prefix + entry.path,
      sizeBytes: entry.content.size,
      sha256: known.get(entry.content) ?? sha256Of(entry.content),
      isExecutable: (entry.mode & 0o111) !== 0,
    });
    done += entry.content.size;
    if (done - told < TELL_BYTES) continue;
    told = done;
    await onProgress?.({ phase: 'digesting files', done, total });
  }
  for (const entry of entries) {
    const target = entry.kind === 'hardlink' ? files.get(entry.target) : undefined;
    if (target !== undefined) files.set(entry.path, { ...target, path: prefix + entry.path });
  }
  return [...files.values()];
}

const TELL_BYTES = 16 * 1024 * 1024;

/**
 * The regular files of the initrds that a UKI has, as the kernel unpacks them over each other.
 * @throws {DiskError} 'cpio_malformed', 'compression_malformed', 'compression_unsupported', 'limit'. @throws {BytesError}
 */
export async function listedInitrdFiles(initrds: readonly ByteSource[], work: LongWork = {}): Promise<ListedFile[]> {
  using open = new DisposableStack();
  const trees: (readonly TreeEntry[])[] = [];
  for (const initrd of initrds) trees.push(open.use(await openInitrd(initrd, work)).entries);
  const [only = []] = trees;
  return await listedFiles(trees.length > 1 ? overlayTrees(trees) : only, '/', work);
}

/** The files that systemd's stub puts beside the initrds: the initrd hands them on, so the kernel measures them as it does its own. */
export function listedStubFiles(handed: readonly HandedFile[]): ListedFile[] {
  return handed.map(({ path, content }) => ({
    path,
    sizeBytes: content.size,
    sha256: sha256Of(content),
    isExecutable: false,
  }));
}
