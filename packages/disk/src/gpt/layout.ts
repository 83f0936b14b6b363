// SPDX-License-Identifier: Apache-2.0
import { alignUp, isPowerOfTwo } from '../align.ts';
import { DiskError } from '../error.ts';
import { entrySectors, MAX_ENTRIES } from './encode.ts';
import type { GptPartition, GptTable, SectorSize } from './table.ts';

/** systemd-repart's grain: partitions begin and end at multiples of it. systemd 257, src/repart/repart.c, context->grain_size. */
export const DEFAULT_GRAIN_BYTES = 4096;
/** As many as everybody's tools write. */
export const DEFAULT_ENTRY_COUNT = 128;

/** A partition that wants a place. */
export interface PartitionRequest {
  readonly typeUuid: string;
  readonly uuid: string;
  readonly label: string;
  /** None, unless given. */
  readonly attributes?: bigint;
  /** Rounded up to the grain, unless an offset is given; then a multiple of the sector size. */
  readonly sizeBytes: number;
  /** From the start of the disk; without one it follows the partition before it. */
  readonly offsetBytes?: number;
}

export interface GptLayoutRequest {
  readonly sectorSize: SectorSize;
  readonly diskUuid: string;
  /** In the order of their entries. */
  readonly partitions: readonly PartitionRequest[];
  /** Of the whole disk; without it, the least that holds everything. */
  readonly sizeBytes?: number;
  /** 4096 unless given; a power of two that is not below the sector size. */
  readonly grainBytes?: number;
  /** The first partition begins here or behind; right after the table unless given. */
  readonly startBytes?: number;
  /** 128 unless given. */
  readonly entryCount?: number;
}

/**
 * Gives each partition its place as systemd-repart does: one after the other, each at a multiple of the grain, the first
 * right behind the table (octet 20480 with sectors of 512), and the disk as large as that needs.
 * @throws {DiskError} 'options_invalid', 'limit', 'no_space' when the disk's size was given and is too small.
 */
export function layoutGpt(request: GptLayoutRequest): GptTable {
  const { sectorSize, diskUuid, grainBytes = DEFAULT_GRAIN_BYTES, entryCount = DEFAULT_ENTRY_COUNT } = request;
  if (!isPowerOfTwo(grainBytes) || grainBytes < sectorSize) {
    throw new DiskError(
      'options_invalid',
      `expected a grain of ${sectorSize} or a larger power of two, found ${grainBytes}`,
    );
  }
  if (
    !Number.isInteger(entryCount) ||
    entryCount < 1 ||
    entryCount > MAX_ENTRIES ||
    request.partitions.length > entryCount
  ) {
    throw new DiskError(
      'limit',
      `expected 1 to ${MAX_ENTRIES} entries, as many as there are partitions at least, found ${entryCount}`,
    );
  }
  const { reserved } = entrySectors(entryCount, sectorSize);
  const firstUsable = 2 + reserved;
  let end = Math.max(firstUsable * sectorSize, request.startBytes ?? 0);
  // Without a partition there is still a block that one could use: a table without any is none.
  let diskEnd = (firstUsable + 1) * sectorSize;
  const partitions = request.partitions.map((partition, index): GptPartition => {
    const offsetBytes = partition.offsetBytes ?? alignUp(end, grainBytes);
    const sizeBytes =
      partition.offsetBytes === undefined ? alignUp(partition.sizeBytes, grainBytes) : partition.sizeBytes;
    requireSectors(index, 'offset', offsetBytes, sectorSize);
    requireSectors(index, 'size', sizeBytes, sectorSize);
    end = offsetBytes + sizeBytes;
    diskEnd = Math.max(diskEnd, end);
    return {
      index,
      typeUuid: partition.typeUuid,
      uuid: partition.uuid,
      firstLba: BigInt(offsetBytes / sectorSize),
      lastLba: BigInt(end / sectorSize) - 1n,
      attributes: partition.attributes ?? 0n,
      label: partition.label,
    };
  });
  const least = alignUp(diskEnd + (reserved + 1) * sectorSize, grainBytes);
  const size = request.sizeBytes ?? least;
  if (size < diskEnd + (reserved + 1) * sectorSize) {
    throw new DiskError('no_space', `the partitions need a disk of ${least} octets, found ${size}; make it larger`);
  }
  const sectors = Math.floor(size / sectorSize);
  const lastUsable = sectors - 2 - reserved;
  return {
    sectorSize,
    sectors,
    diskUuid,
    entryCount,
    firstUsableLba: BigInt(firstUsable),
    lastUsableLba: BigInt(lastUsable),
    partitions,
  };
}

function requireSectors(index: number, what: string, bytes: number, sectorSize: number): void {
  const least = what === 'size' ? sectorSize : 0;
  if (!Number.isSafeInteger(bytes) || bytes % sectorSize !== 0 || bytes < least) {
    throw new DiskError(
      'options_invalid',
      `partition ${index + 1}: expected its ${what} as a multiple of ${sectorSize} octets, found ${bytes}`,
    );
  }
}
