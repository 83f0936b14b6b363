// SPDX-License-Identifier: Apache-2.0
import { type ErofsInode, type ErofsVolume, listErofs } from '@vouchsafe/disk';
import { bySize, leaf, nodeOf, type SizeNode } from './size-node.ts';

/** A file with what its data takes. */
export interface FileSize {
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * What the data of each file takes in an image: of data that files share, and of a file with several names, the first by
 * the order of names counts.
 * @throws {DiskError} @throws {BytesError}
 */
export function erofsFileSizes(volume: ErofsVolume): FileSize[] {
  const seen = new Set<number>();
  const blocks = new Set<number>();
  const files: FileSize[] = [];
  for (const { path, inode } of listErofs(volume)) {
    if (inode.kind !== 'file') continue;
    const isKnown = seen.has(inode.nid);
    seen.add(inode.nid);
    files.push({ name: path, sizeBytes: isKnown ? 0 : storedBytes(volume, inode, blocks) });
  }
  return files;
}

/** @param blocks first blocks of data that is counted already. */
function storedBytes({ blockBytes }: ErofsVolume, inode: ErofsInode, blocks: Set<number>): number {
  const { layout, sizeBytes, place } = inode;
  if (layout === 'compressed-full' || layout === 'compressed-compact') {
    return Math.min(place.union * blockBytes, sizeBytes);
  }
  if (layout === 'chunked') return sizeBytes;
  const tailBytes = layout === 'inline' ? sizeBytes % blockBytes : 0;
  const inBlocks = sizeBytes - tailBytes;
  if (inBlocks === 0 || blocks.has(place.union)) return tailBytes;
  blocks.add(place.union);
  return sizeBytes;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: SizeNode[];
}

/**
 * Files as a tree of their folders.
 * @param sizeBytes of the whole file system; what the files leave of it is its own.
 */
export function folderTree(
  name: string,
  kind: SizeNode['kind'],
  sizeBytes: number,
  files: readonly FileSize[],
  rest: Parameters<typeof nodeOf>[4],
): SizeNode {
  const root: Folder = { folders: new Map(), files: [] };
  for (const file of files) {
    if (file.sizeBytes === 0) continue;
    const parts = file.name.split('/');
    const last = parts.pop() as string;
    let folder = root;
    for (const part of parts) {
      const below = folder.folders.get(part) ?? { folders: new Map(), files: [] };
      folder.folders.set(part, below);
      folder = below;
    }
    folder.files.push(leaf(last, 'file', file.sizeBytes));
  }
  return nodeOf(name, kind, sizeBytes, childrenOf(root), rest);
}

function childrenOf(folder: Folder): SizeNode[] {
  const folders = [...folder.folders].map(([name, below]): SizeNode => {
    const children = childrenOf(below);
    const sizeBytes = children.reduce((sum, child) => sum + child.sizeBytes, 0);
    return { name, kind: 'folder', sizeBytes, children };
  });
  return bySize([...folders, ...folder.files]);
}
