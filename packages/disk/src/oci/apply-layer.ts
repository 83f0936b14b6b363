// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';
import { readTar, type TarLimits } from '../tar/read.ts';
import type { GrowingTree } from '../tree/growing-tree.ts';

/** OCI image specification 1.1, "Filesystem Layers", "Whiteouts": a name that removes another. */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Notes of AUFS for itself, which every reader passes over. */
const AUFS_NOTE = '.wh..wh.';

/**
 * Lays a layer over the tree: what its whiteouts name goes from the layers below, wherever in the archive they stand, then
 * its members come.
 * @param layer a tar archive that is not compressed, of which the digest is known to be right; contents are parts of it.
 * @throws {DiskError} 'oci_malformed' for a whiteout of nothing; as `readTar` and `GrowingTree.add`. @throws {BytesError}
 */
export function applyOciLayer(tree: GrowingTree, layer: ByteSource, limits: TarLimits = {}): void {
  tree.startLayer();
  const options = { ...limits, isKnownWhole: true };
  for (const { entry } of readTar(layer, options)) {
    const [folder, name] = split(entry.path);
    if (!name.startsWith(WHITEOUT) || isNote(entry.path)) continue;
    if (name === OPAQUE) {
      tree.clearLower(folder);
      continue;
    }
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw new DiskError(
        'oci_malformed',
        `${layer.label}: ${entry.path}: expected the name of what is removed behind ${WHITEOUT}`,
      );
    }
    tree.removeLower(folder === '' ? hidden : `${folder}/${hidden}`);
  }
  for (const { entry } of readTar(layer, options)) {
    if (!split(entry.path)[1].startsWith(WHITEOUT) && !isNote(entry.path)) tree.add(entry);
  }
}

function isNote(path: string): boolean {
  return path.split('/').some((part) => part.startsWith(AUFS_NOTE) && part !== OPAQUE);
}

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)];
}
