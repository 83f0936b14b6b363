// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import type { TreeEntry } from '../tree/file-tree.ts';
import { GrowingTree, type GrowingTreeOptions } from '../tree/growing-tree.ts';
import { readTar, type TarLimits } from './read.ts';

export type TarTreeOptions = TarLimits & Pick<GrowingTreeOptions, 'duplicates' | 'impliedMtimeSeconds'>;

/**
 * A tar archive that is not compressed as a tree. Directories that it does not list are root's, with mode 0755. The contents
 * are parts of the source, which must stay open.
 * @throws {DiskError} as `readTar`; 'path_duplicate', 'link_followed', 'tree_invalid'. @throws {BytesError}
 */
export function tarTree(source: ByteSource, options: TarTreeOptions = {}): TreeEntry[] {
  const tree = new GrowingTree(options);
  for (const { entry } of readTar(source, options)) tree.add(entry);
  return [...tree.entries()];
}
