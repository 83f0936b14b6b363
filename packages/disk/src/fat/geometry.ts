// SPDX-License-Identifier: Apache-2.0
import { alignUp, isPowerOfTwo } from '../align.ts';
import { DiskError } from '../error.ts';
import type { SectorSize } from '../gpt/table.ts';

/** Where everything is on a FAT32 volume. */
export interface Fat32Geometry {
  readonly sectorSize: SectorSize;
  readonly clusterBytes: number;
  readonly totalSectors: number;
  /** Of one of the two FATs. */
  readonly fatSectors: number;
  readonly clusterCount: number;
  /** Where the first FAT begins, and cluster 2. */
  readonly fatOffsetBytes: number;
  readonly dataOffsetBytes: number;
}

/** As everybody does: room for the boot sector, FSInfo and their copies at 6 and 7. */
export const RESERVED_SECTORS = 32;
export const FAT_COUNT = 2;
const FAT32_ENTRY_BYTES = 4;
/**
 * Fewer clusters than 65525 are a FAT16 to who counts them. Microsoft FAT 1.03, "FAT Type Determination", which also says
 * to stay 16 away, for the many programs that count wrong.
 */
const MIN_FAT32_CLUSTERS = 65525 + 16;
/** Cluster numbers have 28 bits, and the highest are special. */
const MAX_FAT32_CLUSTERS = 0x0ffffff5 - 2;
const MAX_CLUSTER_BYTES = 32 * 1024;

const MIB = 1024 * 1024;

/** Cluster sizes by the size of the volume. Microsoft FAT 1.03, "FAT Volume Initialization", DskTableFAT32. */
const CLUSTER_SIZES: readonly (readonly [maxSizeBytes: number, clusterBytes: number])[] = [
  [260 * MIB, 512],
  [8192 * MIB, 4096],
  [16384 * MIB, 8192],
  [32768 * MIB, 16384],
  [Number.POSITIVE_INFINITY, MAX_CLUSTER_BYTES],
];

/**
 * @param clusterBytes by the size of the volume, unless given.
 * @throws {DiskError} 'options_invalid' for a size that no FAT32 has.
 */
export function fat32Geometry(sizeBytes: number, sectorSize: SectorSize, clusterBytes?: number): Fat32Geometry {
  if (sectorSize !== 512 && sectorSize !== 4096) {
    throw new DiskError('options_invalid', `FAT: expected sectors of 512 or 4096 octets, found ${sectorSize}`);
  }
  const totalSectors = sizeBytes / sectorSize;
  if (!Number.isInteger(totalSectors) || totalSectors < 1 || totalSectors > 0xffffffff) {
    throw new DiskError(
      'options_invalid',
      `FAT: expected a size of whole sectors of ${sectorSize}, found ${sizeBytes}`,
    );
  }
  const cluster = clusterBytes ?? defaultClusterBytes(sizeBytes, sectorSize);
  if (!isPowerOfTwo(cluster) || cluster < sectorSize || cluster > MAX_CLUSTER_BYTES) {
    throw new DiskError(
      'options_invalid',
      `FAT: expected clusters of ${sectorSize} to ${MAX_CLUSTER_BYTES} octets, a power of two, found ${cluster}`,
    );
  }
  const { fatSectors, clusterCount } = divide(totalSectors, sectorSize, cluster);
  if (clusterCount < MIN_FAT32_CLUSTERS || clusterCount > MAX_FAT32_CLUSTERS) {
    const least = minFat32Bytes(sectorSize, cluster);
    throw new DiskError(
      'options_invalid',
      `FAT: expected ${MIN_FAT32_CLUSTERS} to ${MAX_FAT32_CLUSTERS} clusters of ${cluster} octets, found ${clusterCount}; make the volume at least ${least} octets or the clusters smaller`,
    );
  }
  const fatOffsetBytes = RESERVED_SECTORS * sectorSize;
  const dataOffsetBytes = fatOffsetBytes + FAT_COUNT * fatSectors * sectorSize;
  return { sectorSize, clusterBytes: cluster, totalSectors, fatSectors, clusterCount, fatOffsetBytes, dataOffsetBytes };
}

/** The least FAT32 volume of that cluster size. */
export function minFat32Bytes(sectorSize: SectorSize, clusterBytes: number): number {
  return volumeBytesFor(MIN_FAT32_CLUSTERS, sectorSize, clusterBytes);
}

/** The size of a volume with that many clusters. */
function volumeBytesFor(clusterCount: number, sectorSize: SectorSize, clusterBytes: number): number {
  const fatSectors = Math.ceil(((clusterCount + 2) * FAT32_ENTRY_BYTES) / sectorSize);
  return (RESERVED_SECTORS + FAT_COUNT * fatSectors) * sectorSize + clusterCount * clusterBytes;
}

/**
 * The least volume of whole mebibytes, not below a floor, that has room for the files.
 * @param clustersNeeded by the size of a cluster, which is that of the volume's size unless given.
 */
export function leastVolumeBytes(
  floorBytes: number,
  sectorSize: SectorSize,
  clustersNeeded: (clusterBytes: number) => number,
  clusterBytes?: number,
): number {
  const leastOf = (cluster: number): number => {
    const count = Math.max(MIN_FAT32_CLUSTERS, clustersNeeded(cluster));
    return Math.max(floorBytes, alignUp(volumeBytesFor(count, sectorSize, cluster), MIB));
  };
  if (clusterBytes !== undefined) return leastOf(clusterBytes);
  let above = 0;
  for (const [maxSizeBytes, byTable] of CLUSTER_SIZES) {
    // Larger clusters waste more, but need a smaller table: between two classes neither fits at its own least size.
    const least = Math.max(leastOf(Math.max(byTable, sectorSize)), above);
    if (least <= maxSizeBytes) return least;
    above = maxSizeBytes + MIB;
  }
  return above;
}

function defaultClusterBytes(sizeBytes: number, sectorSize: SectorSize): number {
  const [, byTable] = CLUSTER_SIZES.find(([maxSizeBytes]) => sizeBytes <= maxSizeBytes) as readonly [number, number];
  return Math.max(byTable, sectorSize);
}

/** The least FAT that maps all clusters which the rest of the volume has room for. */
function divide(totalSectors: number, sectorSize: number, clusterBytes: number) {
  const sectorsPerCluster = clusterBytes / sectorSize;
  const entriesPerSector = sectorSize / FAT32_ENTRY_BYTES;
  const free = totalSectors - RESERVED_SECTORS;
  // Each sector of both FATs maps entriesPerSector clusters; entries 0 and 1 map none.
  const fatSectors = Math.max(
    1,
    Math.ceil((free + 2 * sectorsPerCluster) / (FAT_COUNT + entriesPerSector * sectorsPerCluster)),
  );
  const clusterCount = Math.max(0, Math.floor((free - FAT_COUNT * fatSectors) / sectorsPerCluster));
  return { fatSectors, clusterCount };
}
