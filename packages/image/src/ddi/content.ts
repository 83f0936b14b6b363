// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import type { ErofsCompression, FatMember, FileTree, PartitionDefinition } from '@vouchsafe/disk';

/** Root hashes by the match key of their partitions. */
export type RootHashes = ReadonlyMap<string, Uint8Array>;

/**
 * The files of a FAT volume. A function gets the root hashes of the image: a UKI has one in its command line. It is asked
 * twice where no size is given and nothing stands in for it, first with zeros, since the place of all the rest depends on
 * how large the volume is; so what it answers must be of the same size for any root hash.
 */
export type FatMembers = readonly FatMember[] | ((rootHashes: RootHashes) => Promise<readonly FatMember[]>);

export interface VfatContent {
  readonly kind: 'vfat';
  readonly members: FatMembers;
  /** Paths and sizes of what `members` will answer, where they are to be had for less; nothing of it is read. */
  readonly plannedMembers?: () => Promise<readonly FatMember[]>;
  readonly label?: string;
}

/** What is in a partition. Hash trees and signatures are made, and so is nobody's content. */
export type PartitionContent =
  | { readonly kind: 'erofs'; readonly tree: FileTree; readonly compression?: ErofsCompression }
  | VfatContent
  | { readonly kind: 'blocks'; readonly source: ByteSource }
  | { readonly kind: 'swap' };

/** A partition with its content; without one it is left empty. */
export interface DdiPartition extends PartitionDefinition {
  readonly content?: PartitionContent | undefined;
  /** It is as large as the partition at this place among the partitions, which comes before it. */
  readonly slotOf?: number | undefined;
}
