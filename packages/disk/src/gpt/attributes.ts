// SPDX-License-Identifier: Apache-2.0

/**
 * Attribute bits of a partition by name. The first three are UEFI's (UEFI 2.10, section 5.3.3, table 5.8), the others
 * those of the discoverable partitions (UAPI.2, "Partition Attribute Flags").
 */
export const PARTITION_ATTRIBUTES = {
  requiredPartition: 1n << 0n,
  noBlockIoProtocol: 1n << 1n,
  legacyBiosBootable: 1n << 2n,
  growFileSystem: 1n << 59n,
  readOnly: 1n << 60n,
  noAuto: 1n << 63n,
} as const satisfies Record<string, bigint>;

export type PartitionAttribute = keyof typeof PARTITION_ATTRIBUTES;

/** One word of the named bits. */
export function encodeAttributes(names: readonly PartitionAttribute[]): bigint {
  return names.reduce((word, name) => word | PARTITION_ATTRIBUTES[name], 0n);
}

/** The names of the bits that are set, lowest first; bits without a name are passed over. */
export function attributeNames(word: bigint): PartitionAttribute[] {
  const names = Object.keys(PARTITION_ATTRIBUTES) as PartitionAttribute[];
  return names.filter((name) => (word & PARTITION_ATTRIBUTES[name]) !== 0n);
}
