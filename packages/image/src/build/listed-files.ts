// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { TreeEntry } from '@vouchsafe/disk';
import type { ListedFile } from '@vouchsafe/manifest';
import { digestOf } from './digest-of.ts';

/** The regular files of a tree, each hard link under its own name. */
export function listedFiles(entries: readonly TreeEntry[]): ListedFile[] {
  const files = new Map<string, ListedFile>();
  for (const entry of entries) {
    if (entry.kind !== 'file') continue;
    files.set(entry.path, {
      path: entry.path,
      sizeBytes: entry.content.size,
      sha256: toHex(digestOf(entry.content)),
      isExecutable: (entry.mode & 0o111) !== 0,
    });
  }
  for (const entry of entries) {
    const target = entry.kind === 'hardlink' ? files.get(entry.target) : undefined;
    if (target !== undefined) files.set(entry.path, { ...target, path: entry.path });
  }
  return [...files.values()];
}
