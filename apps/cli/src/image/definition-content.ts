// SPDX-License-Identifier: Apache-2.0
import type { DefinitionFile, FatMember, TreeEntry } from '@vouchsafe/disk';
import type { PartitionContent } from '@vouchsafe/image';
import { UsageError } from '../usage-error.ts';
import type { CopySource } from './copy-source.ts';

/**
 * What a definition says is in a partition; undefined for one that is left empty.
 * @param treeOf the files of one that has a file system.
 */
export async function contentOf(
  definition: DefinitionFile,
  source: CopySource | undefined,
  treeOf: (definition: DefinitionFile) => Promise<readonly TreeEntry[]>,
): Promise<PartitionContent | undefined> {
  const { format, copyBlocks, name } = definition;
  if (copyBlocks !== undefined) {
    if (source === undefined) {
      throw new UsageError(`${name}: CopyBlocks=${copyBlocks}: name where it is with --copy-source`);
    }
    return { kind: 'blocks', source: await source.content(copyBlocks) };
  }
  switch (format) {
    case 'erofs':
      return { kind: 'erofs', tree: await treeOf(definition) };
    case 'vfat':
      return { kind: 'vfat', members: fatMembers(await treeOf(definition), name) };
    case 'swap':
      return { kind: 'swap' };
    default:
      return undefined;
  }
}

/** What FAT cannot hold is refused: a link that is left out is a file that is missing when the machine boots. */
function fatMembers(entries: readonly TreeEntry[], name: string): FatMember[] {
  const files = new Map(entries.map((entry) => [entry.path, entry]));
  return entries.flatMap((entry): FatMember[] => {
    if (entry.path === '') return [];
    const target = entry.kind === 'hardlink' ? files.get(entry.target) : entry;
    if (target?.kind === 'directory') return [{ path: entry.path }];
    if (target?.kind === 'file') return [{ path: entry.path, content: target.content }];
    throw new UsageError(
      `${name}: ${entry.path}: FAT holds no ${target?.kind ?? entry.kind}; put the file itself there`,
    );
  });
}
