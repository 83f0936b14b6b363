// SPDX-License-Identifier: Apache-2.0
import type { FileTree, TreeEntry } from './file-tree.ts';
import { GrowingTree, type GrowingTreeOptions } from './growing-tree.ts';

/**
 * Trees laid over each other, of which the later one counts: packages unpacked into one folder, files added to a root. A
 * directory that is there stays as it is, as dpkg and cp leave it; what lies over a directory and is none takes its place.
 * @param options of directories that no tree lists.
 * @throws {DiskError} 'link_followed', 'tree_invalid', 'limit'.
 */
export function overlayTrees(
  trees: Iterable<FileTree>,
  options: Pick<GrowingTreeOptions, 'impliedMtimeSeconds'> = {},
): TreeEntry[] {
  const whole = new GrowingTree(options);
  for (const tree of trees) {
    whole.startLayer();
    const links: TreeEntry[] = [];
    // A tree may list a hard link before its file.
    for (const entry of tree) {
      if (entry.kind === 'hardlink') links.push(entry);
      else if (entry.kind !== 'directory' || whole.kindAt(entry.path) !== 'directory') whole.add(entry);
    }
    for (const link of links) whole.add(link);
  }
  return [...whole.entries()];
}
