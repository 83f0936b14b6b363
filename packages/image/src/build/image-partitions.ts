// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import {
  architecturePartitionType,
  commonPartitionType,
  type ErofsCompression,
  type FatMember,
  type GptTable,
  partitionPlace,
  type TreeEntry,
} from '@vouchsafe/disk';
import type { DdiPartition, RootHashes } from '../ddi/content.ts';

/** By which the parts of the verity root find each other. */
export const MATCH_KEY = 'root';

/** The partitions of an image, in the order in which they lie on the disk. */
export function imagePartitions(
  members: (hashes: RootHashes) => Promise<readonly FatMember[]>,
  tree: readonly TreeEntry[],
  compression: ErofsCompression,
): DdiPartition[] {
  const type = (name: 'root' | 'root-verity' | 'root-verity-sig'): string => architecturePartitionType(name, 'x86-64');
  const verity = (role: 'data' | 'hash' | 'signature') => ({ role, matchKey: MATCH_KEY });
  return [
    {
      name: 'esp',
      typeUuid: commonPartitionType('esp'),
      label: 'esp',
      content: { kind: 'vfat', members, label: 'ESP' },
    },
    {
      name: 'root',
      typeUuid: type('root'),
      label: 'root-x86-64',
      verity: verity('data'),
      content: { kind: 'erofs', tree, compression },
    },
    { name: 'root-verity', typeUuid: type('root-verity'), label: 'root-x86-64-verity', verity: verity('hash') },
    {
      name: 'root-verity-sig',
      typeUuid: type('root-verity-sig'),
      label: 'root-x86-64-verity-sig',
      verity: verity('signature'),
    },
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
