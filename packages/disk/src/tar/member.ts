// SPDX-License-Identifier: Apache-2.0
import type { TreeEntry } from '../tree/file-tree.ts';

export interface TarMember {
  /** By its path in the tree; a hard link's target likewise. */
  readonly entry: TreeEntry;
  /** Of the header, in octets from the start of the archive. */
  readonly offset: number;
}
