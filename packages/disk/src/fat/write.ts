// SPDX-License-Identifier: Apache-2.0
import { ascii, type CancelSignal } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { encode } from '@vouchsafe/codec';
import { copySource } from '../copy.ts';
import { DiskError } from '../error.ts';
import type { SectorSize } from '../gpt/table.ts';
import { encodeDirectory } from './directory.ts';
import { FAT_COUNT, type Fat32Geometry, fat32Geometry, leastVolumeBytes, RESERVED_SECTORS } from './geometry.ts';
import { clustersOf, type FatMember, type FatNode, inDiskOrder, planTree } from './plan.ts';
import { BOOT_SECTOR_BYTES, fat32Extension, fatBpb, fatFsInfo } from './structures.ts';
import { fatTimestamp } from './timestamp.ts';

export interface Fat32Request {
  readonly members: Iterable<FatMember>;
  /** Of the device that it goes on. */
  readonly sectorSize: SectorSize;
  /** Of the volume; as large as an ESP should be at least, and as the content needs, unless given. */
  readonly sizeBytes?: number;
  /** By the size, unless given. */
  readonly clusterBytes?: number;
  /** 32 bits; `fatVolumeIdFromUuid` gives systemd-repart's. */
  readonly volumeId: number;
  /** At most 11 ASCII characters, no lower case; none unless given. */
  readonly label?: string;
  /** Given to everything, in seconds since 1970 and UTC. */
  readonly timestampSeconds: number;
  /** Sectors before the volume on its disk; nothing but old boot code reads it. */
  readonly hiddenSectors?: number;
  readonly signal?: CancelSignal | undefined;
}

/** A volume that is planned and can be written; making one reads no content. */
export interface Fat32Plan {
  readonly sizeBytes: number;
  readonly geometry: Fat32Geometry;
  readonly usedClusters: number;
  /** @throws {BytesError} from the sink or a content. */
  write(sink: ByteSink, offset?: number): void;
}

const MIB = 1024 * 1024;
/** The least ESP that systemd-repart makes, by sector size. systemd 258, src/repart/repart.c. */
const MIN_ESP_BYTES: Readonly<Record<SectorSize, number>> = { 512: 100 * MIB, 4096: 260 * MIB };

/**
 * Plans a FAT32 volume: where each file goes is decided by their names and sizes alone, so that the same members give
 * the same octets.
 * @throws {DiskError} 'name_invalid', 'name_collision', 'limit', 'options_invalid', 'no_space'.
 */
export function planFat32(request: Fat32Request): Fat32Plan {
  const { sectorSize, volumeId, timestampSeconds, signal } = request;
  const label = encodeLabel(request.label);
  const { hiddenSectors = 0 } = request;
  requireUint32('a volume id', volumeId);
  requireUint32('a number of hidden sectors', hiddenSectors);
  const root = planTree(request.members, request.label !== undefined);
  const nodes = inDiskOrder(root);
  const sizeBytes = request.sizeBytes ?? leastSize(nodes, request);
  const geometry = fat32Geometry(sizeBytes, sectorSize, request.clusterBytes);
  const usedClusters = allocate(nodes, geometry);
  const timestamp = fatTimestamp(timestampSeconds);
  const parents = new Map(nodes.flatMap((node) => node.children.map((child) => [child, node] as const)));
  const parentCluster = (node: FatNode): number | undefined => {
    if (node === root) return undefined;
    const parent = parents.get(node);
    // "..", where it leads to the root, says cluster 0. Microsoft FAT 1.03, "FAT Directory Structure".
    return parent === undefined || parent === root ? 0 : parent.firstCluster;
  };
  const write = (sink: ByteSink, offset = 0): void => {
    const volume: ByteSink = { label: sink.label, write: (at, bytes) => sink.write(offset + at, bytes) };
    // First the last octet, so that a file is as long as the volume; content may follow there.
    volume.write(sizeBytes - 1, Uint8Array.of(0));
    writeBoot(volume, geometry, { usedClusters, volumeId, label, hiddenSectors });
    writeFats(volume, geometry, nodes);
    for (const node of nodes) {
      if (node.firstCluster === 0) continue;
      signal?.throwIfAborted();
      const at = clusterOffset(geometry, node.firstCluster);
      if (node.content === undefined) {
        const volumeLabel = node === root && request.label !== undefined ? label : undefined;
        volume.write(at, encodeDirectory(node, parentCluster(node), timestamp, volumeLabel));
      } else copySource(node.content, volume, at, signal);
    }
  };
  return { sizeBytes, geometry, usedClusters, write };
}

function requireUint32(what: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffffffff) return;
  throw new DiskError('options_invalid', `FAT: expected ${what} of 32 bits, found ${value}`);
}

function clusterOffset(geometry: Fat32Geometry, cluster: number): number {
  return geometry.dataOffsetBytes + (cluster - 2) * geometry.clusterBytes;
}

function leastSize(nodes: readonly FatNode[], { sectorSize, clusterBytes }: Fat32Request): number {
  const needed = (cluster: number): number => nodes.reduce((sum, node) => sum + clustersOf(node, cluster), 0);
  return leastVolumeBytes(MIN_ESP_BYTES[sectorSize] ?? 0, sectorSize, needed, clusterBytes);
}

/** Gives each node its clusters, one run each. */
function allocate(nodes: readonly FatNode[], { clusterBytes, clusterCount }: Fat32Geometry): number {
  let next = 2;
  for (const node of nodes) {
    const count = clustersOf(node, clusterBytes);
    node.firstCluster = count === 0 ? 0 : next;
    next += count;
  }
  const used = next - 2;
  if (used > clusterCount) {
    throw new DiskError(
      'no_space',
      `FAT: the files need ${used} clusters of ${clusterBytes} octets, found ${clusterCount}; make the volume larger`,
    );
  }
  return used;
}

interface BootFields {
  readonly usedClusters: number;
  readonly volumeId: number;
  readonly label: Uint8Array;
  readonly hiddenSectors: number;
}

const FSINFO_SECTOR = 1;
const BACKUP_BOOT_SECTOR = 6;

function writeBoot(volume: ByteSink, geometry: Fat32Geometry, fields: BootFields): void {
  const { sectorSize, clusterCount } = geometry;
  const boot = encodeBootSector(geometry, fields);
  const info = encode(fatFsInfo, {
    leadSignature: 0x41615252,
    reserved1: new Uint8Array(480),
    structureSignature: 0x61417272,
    freeCount: clusterCount - fields.usedClusters,
    nextFree: fields.usedClusters === clusterCount ? 2 : 2 + fields.usedClusters,
    reserved2: new Uint8Array(12),
    trailSignature: 0xaa550000,
  });
  for (const first of [0, BACKUP_BOOT_SECTOR]) {
    volume.write(first * sectorSize, boot);
    volume.write((first + FSINFO_SECTOR) * sectorSize, info);
  }
}

/** INT 18h tells a BIOS that there is nothing to boot; then it stays where it is. */
const BOOT_CODE = Uint8Array.of(0xcd, 0x18, 0xeb, 0xfe);
const BOOT_CODE_OFFSET = 90;

function encodeBootSector(geometry: Fat32Geometry, { volumeId, label, hiddenSectors }: BootFields): Uint8Array {
  const sector = new Uint8Array(BOOT_SECTOR_BYTES);
  const bpb = encode(fatBpb, {
    jump: Uint8Array.of(0xeb, BOOT_CODE_OFFSET - 2, 0x90),
    // "MSWIN4.1" is what Microsoft FAT 1.03 recommends, for drivers that look at it.
    oemName: ascii('MSWIN4.1'),
    bytesPerSector: geometry.sectorSize,
    sectorsPerCluster: geometry.clusterBytes / geometry.sectorSize,
    reservedSectors: RESERVED_SECTORS,
    fatCount: FAT_COUNT,
    rootEntries: 0,
    totalSectors16: 0,
    media: 0xf8,
    fatSectors16: 0,
    sectorsPerTrack: 63,
    heads: 255,
    hiddenSectors,
    totalSectors32: geometry.totalSectors,
  });
  const extension = encode(fat32Extension, {
    fatSectors32: geometry.fatSectors,
    extendedFlags: 0,
    version: 0,
    rootCluster: 2,
    fsInfoSector: FSINFO_SECTOR,
    backupBootSector: BACKUP_BOOT_SECTOR,
    reserved: new Uint8Array(12),
    driveNumber: 0x80,
    reserved1: 0,
    bootSignature: 0x29,
    volumeId,
    label,
    fileSystemType: ascii('FAT32   '),
  });
  sector.set(bpb);
  sector.set(extension, bpb.length);
  sector.set(BOOT_CODE, BOOT_CODE_OFFSET);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

const FAT_CHUNK_ENTRIES = 64 * 1024;
/** "end of clusterchain", and what entries 0 and 1 hold: the media octet, and that the volume is clean. */
const END_OF_CHAIN = 0x0fffffff;
const MEDIA_ENTRY = 0x0ffffff8;

/** Both FATs, as far as they are not zero. */
function writeFats(volume: ByteSink, geometry: Fat32Geometry, nodes: readonly FatNode[]): void {
  const buffer = new DataView(new ArrayBuffer(4 * FAT_CHUNK_ENTRIES));
  let chunk = 0;
  let filled = 0;
  const flush = (): void => {
    const bytes = new Uint8Array(buffer.buffer, 0, 4 * filled);
    for (let copy = 0; copy < FAT_COUNT; copy++) {
      volume.write(geometry.fatOffsetBytes + copy * geometry.fatSectors * geometry.sectorSize + 4 * chunk, bytes);
    }
    chunk += filled;
    filled = 0;
  };
  const put = (entry: number): void => {
    buffer.setUint32(4 * filled++, entry, true);
    if (filled === FAT_CHUNK_ENTRIES) flush();
  };
  put(MEDIA_ENTRY);
  put(END_OF_CHAIN);
  for (const node of nodes) {
    const count = clustersOf(node, geometry.clusterBytes);
    for (let i = 1; i <= count; i++) put(i === count ? END_OF_CHAIN : node.firstCluster + i);
  }
  flush();
}

/** 11 octets; 'NO NAME' is what a volume without a label says. Microsoft FAT 1.03, BS_VolLab. */
function encodeLabel(label: string | undefined): Uint8Array {
  if (label !== undefined && !/^[A-Z0-9!#$%&'()\-@^_`{}~][A-Z0-9!#$%&'()\-@^_`{}~ ]{0,10}$/.test(label)) {
    throw new DiskError(
      'name_invalid',
      `FAT: expected a label of 1 to 11 ASCII characters without lower case, found ${JSON.stringify(label)}`,
    );
  }
  return ascii((label ?? 'NO NAME').padEnd(11));
}
