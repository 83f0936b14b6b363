// SPDX-License-Identifier: Apache-2.0

import { treeLayout } from '../tree/layout.ts';
import { VerifiedTree } from '../tree/verified-tree.ts';
import type { VerifyRequest } from '../tree/verify.ts';
import { requireRootHashSize, requireTreeSize } from '../tree/verify.ts';

/**
 * Checks that a tree is the root hash's, by its top block alone: what is told to a boot must not be of another image. A
 * single data block has no tree, and nothing is checked then but the root hash's length.
 * @throws {VerityError} 'root_mismatch'; 'options_invalid' for a root hash of another length; 'tree_short'.
 */
export function requireRootHash({ hash, parameters, place, rootHash }: Omit<VerifyRequest, 'data'>): void {
  const layout = treeLayout(parameters, place);
  requireRootHashSize(rootHash, parameters, layout);
  requireTreeSize(hash, layout);
  new VerifiedTree(hash, parameters, layout, rootHash, 0).checkTop();
}
