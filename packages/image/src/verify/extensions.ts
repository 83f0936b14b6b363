// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import {
  checkExtension,
  DiskError,
  designatorOf,
  EXTENSION_CLASSES,
  type ExtensionClass,
  type ExtensionEntry,
  erofsTree,
  type GptTable,
  openErofs,
  partitionSource,
} from '@vouchsafe/disk';
import { extensionReleasesOf } from '../ddi/image-release.ts';
import { diskFinding, type ImageFinding } from './findings.ts';
import { placeOf } from './verity-set.ts';

/**
 * Of a disk whose root or /usr is an extension: whether any host would take it. Of the others: that their file system can be
 * read to its end. Only EROFS is looked into.
 * @param name of the image, which the extension-release must have.
 * @throws {BytesError}
 */
export function checkExtensions(disk: ByteSource, table: GptTable, name: string): ImageFinding[] {
  return table.partitions.flatMap((partition): ImageFinding[] => {
    const designator = designatorOf(partition.typeUuid);
    if (designator !== 'root' && designator !== 'usr') return [];
    try {
      const volume = openErofs(partitionSource(disk, table, partition));
      const releases = extensionReleasesOf(volume);
      const entries: ExtensionEntry[] = [];
      // Each entry is read in any case: a tree that breaks off half-way is no tree.
      for (const entry of erofsTree(volume)) {
        if (releases.size === 0) continue;
        const { path, kind } = entry;
        entries.push(
          'xattrs' in entry && entry.xattrs !== undefined ? { path, kind, xattrs: entry.xattrs } : { path, kind },
        );
      }
      return [...releases].flatMap(([path, release]) => {
        const extensionClass = classOf(path);
        return checkExtension({ extensionClass, name, entries, release });
      });
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      if (error.code === 'erofs_missing' || error.code === 'erofs_unsupported') return [];
      const where = placeOf(disk.label, partition);
      return [diskFinding('partition_unreadable', where, { actual: error.code, hint: error.message })];
    }
  });
}

function classOf(path: string): ExtensionClass {
  return path.startsWith(`${EXTENSION_CLASSES.confext.folder}/`) ? 'confext' : 'sysext';
}
