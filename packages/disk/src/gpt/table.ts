// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, sliceSource } from '@vouchsafe/bytes';
import { DiskError } from '../error.ts';

/** Octets of a logical block (LBA): what the device says, not what the file system likes. */
export type SectorSize = 512 | 4096;

/** A used entry of a table. Nothing says that its place is sound; `checkGpt` does. */
export interface GptPartition {
  /** Its place among the entries, from 0; tools show one more. */
  readonly index: number;
  /** Lower-case text form, as are all UUIDs here. */
  readonly typeUuid: string;
  readonly uuid: string;
  readonly firstLba: bigint;
  /** The last block, itself part of the partition. */
  readonly lastLba: bigint;
  readonly attributes: bigint;
  /** At most 36 UTF-16 code units. */
  readonly label: string;
}

/** A GUID partition table. UEFI 2.10, section 5.3. */
export interface GptTable {
  readonly sectorSize: SectorSize;
  /** Of the whole disk. */
  readonly sectors: number;
  readonly diskUuid: string;
  /** How many entries there is room for. */
  readonly entryCount: number;
  readonly firstUsableLba: bigint;
  readonly lastUsableLba: bigint;
  /** By index. */
  readonly partitions: readonly GptPartition[];
}

/** A part of a disk in octets. */
export interface BytePlace {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/**
 * Where a partition is. The one place where its 64-bit block numbers become numbers.
 * @throws {DiskError} 'partition_range' when it is empty or not inside the disk.
 */
export function partitionPlace(table: GptTable, partition: GptPartition): BytePlace {
  const { firstLba, lastLba, index } = partition;
  if (firstLba < 1n || lastLba < firstLba || lastLba >= BigInt(table.sectors)) {
    throw new DiskError(
      'partition_range',
      `partition ${index + 1}: expected blocks inside 1 to ${table.sectors - 1}, found ${firstLba} to ${lastLba}; repair the table or make the disk again`,
    );
  }
  return {
    offsetBytes: Number(firstLba) * table.sectorSize,
    sizeBytes: Number(lastLba - firstLba + 1n) * table.sectorSize,
  };
}

/**
 * A partition as a source of its own.
 * @throws {DiskError} 'partition_range' when it is not inside the disk.
 */
export function partitionSource(disk: ByteSource, table: GptTable, partition: GptPartition): ByteSource {
  const { offsetBytes, sizeBytes } = partitionPlace(table, partition);
  return sliceSource(disk, offsetBytes, sizeBytes, `${disk.label} partition ${partition.index + 1}`);
}
