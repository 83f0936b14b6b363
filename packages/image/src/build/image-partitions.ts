// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import {
  architecturePartitionType,
  commonPartitionType,
  type FatMember,
  type GptTable,
  partitionPlace,
  type TreeEntry,
} from '@vouchsafe/disk';
import type { DdiPartition, RootHashes } from '../ddi/content.ts';
import { withEmptySlots } from '../ddi/slots.ts';
import type { Recipe } from '../recipe/recipe.ts';

export interface ImagePartitions {
  readonly recipe: Recipe;
  readonly members: (hashes: RootHashes) => Promise<readonly FatMember[]>;
  /** The same for their sizes. */
  readonly plannedMembers: () => Promise<readonly FatMember[]>;
  /** What is under dm-verity. */
  readonly tree: readonly TreeEntry[];
  /** Octets that a UKI of the next version may have, where there is to be room for two. */
  readonly ukiBytes: number;
}

/** The partitions of an image, in the order in which they lie on the disk. */
export function imagePartitions({
  recipe,
  members,
  plannedMembers,
  tree,
  ukiBytes,
}: ImagePartitions): readonly DdiPartition[] {
  const { layout } = recipe;
  const { espBytes } = layout;
  const isDouble = layout.slots === 2;
  const esp: DdiPartition = {
    name: 'esp',
    typeUuid: commonPartitionType('esp'),
    label: 'esp',
    content: { kind: 'vfat', members, plannedMembers, label: 'ESP' },
    ...(espBytes === undefined ? { growthBytes: isDouble ? ukiBytes : 0 } : { minBytes: espBytes, maxBytes: espBytes }),
  };
  const partitions = [esp, ...verityPartitions(recipe, tree), ...varPartitions(recipe)];
  return isDouble ? withEmptySlots(partitions) : partitions;
}

/** Data, hash tree and the signature of the root hash. */
export function verityPartitions(
  { name, version, layout, compression }: Recipe,
  tree: readonly TreeEntry[],
): readonly DdiPartition[] {
  const { verity: what, slots, slotBytes } = layout;
  const partition = (suffix: '' | '-verity' | '-verity-sig', role: 'data' | 'hash' | 'signature') =>
    ({
      name: `${what}${suffix}`,
      typeUuid: architecturePartitionType(`${what}${suffix}`, 'x86-64'),
      // Of several versions each is known by its label: sysupdate.d(5), MatchPattern=.
      label: slots === 2 ? `${name}_${version}${suffix.replaceAll('-', '_')}` : `${what}-x86-64${suffix}`,
      verity: { role, matchKey: what },
    }) as const;
  const size = slotBytes === undefined ? {} : { minBytes: slotBytes, maxBytes: slotBytes };
  return [
    { ...partition('', 'data'), content: { kind: 'erofs', tree, compression }, ...size },
    partition('-verity', 'hash'),
    partition('-verity-sig', 'signature'),
  ];
}

/** Left empty: the first boot makes it, so that its key is the machine's alone; PCR 5 does not change by it. */
function varPartitions({ var: volume }: Recipe): readonly DdiPartition[] {
  if (volume === undefined) return [];
  const { sizeBytes } = volume;
  return [
    { name: 'var', typeUuid: commonPartitionType('var'), label: 'var', minBytes: sizeBytes, maxBytes: sizeBytes },
  ];
}

const ROOT_TYPES = (['root', 'usr'] as const).map((role) => architecturePartitionType(role, 'x86-64'));

/** Octets of the root file system, or of /usr; slots are of one size. */
export function rootBytes(table: GptTable): number {
  const found = table.partitions.filter(({ typeUuid }) => ROOT_TYPES.includes(typeUuid));
  return Math.max(0, ...found.map((partition) => partitionPlace(table, partition).sizeBytes));
}

/** Each image name has its own UUIDs, the same in every version: slots of an update are told apart by the root hash. */
export function seedOf(name: string): string {
  const hex = toHex(digest('sha256', utf8(`vouchsafe image ${name}`)).subarray(0, 16));
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
