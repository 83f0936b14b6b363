// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { decode, type Infer } from '@vouchsafe/codec';
import { isPowerOfTwo } from '../align.ts';
import { DiskError } from '../error.ts';
import { BOOT_SECTOR_BYTES, DIRECTORY_ENTRY_BYTES, fat16Extension, fat32Extension, fatBpb } from './structures.ts';

export type FatKind = 'fat12' | 'fat16' | 'fat32';

/** A FAT file system whose boot sector is sound; what it says lies inside its source. */
export interface FatVolume {
  readonly source: ByteSource;
  readonly kind: FatKind;
  readonly sectorSize: number;
  readonly clusterBytes: number;
  readonly clusterCount: number;
  readonly volumeId: number | undefined;
  /** Of the boot sector; the root directory may hold another. */
  readonly label: string | undefined;
  /** The FAT in use. */
  readonly fatOffsetBytes: number;
  /** All copies of it. */
  readonly tables: FatTables;
  /** Where FAT32 keeps its count of free clusters and the copy of the boot sector; undefined where it has none. */
  readonly fsInfoOffsetBytes: number | undefined;
  readonly backupBootOffsetBytes: number | undefined;
  readonly dataOffsetBytes: number;
  readonly root:
    | { readonly kind: 'fixed'; readonly offsetBytes: number; readonly sizeBytes: number }
    | { readonly kind: 'chain'; readonly firstCluster: number };
}

export interface FatTables {
  readonly offsetBytes: number;
  /** Octets of one, as far as clusters need them. */
  readonly usedBytes: number;
  /** From one to the next. */
  readonly strideBytes: number;
  readonly count: number;
  /** False when the copies are not kept alike. */
  readonly areMirrored: boolean;
}

/** Highest cluster counts. Microsoft FAT 1.03, "FAT Type Determination"; FAT32 by the room that its numbers have. */
const MAX_CLUSTERS = { fat12: 4084, fat16: 65524, fat32: 0x0ffffff5 } as const;
const FAT_BITS = { fat12: 12, fat16: 16, fat32: 32 } as const;
const BPB_BYTES = 36;

export function fatMalformed(source: { readonly label: string }, problem: string): DiskError {
  return new DiskError('fat_malformed', `${source.label}: FAT: ${problem}`);
}

/**
 * @param source the volume: a partition, not a disk.
 * @throws {DiskError} 'fat_missing' when there is no FAT boot sector, 'fat_malformed' when it says what cannot be.
 * @throws {BytesError} from the source.
 */
export function openFat(source: ByteSource): FatVolume {
  if (source.size < BOOT_SECTOR_BYTES) throw missing(source, `${source.size} octets`);
  const sector = readBytes(source, 0, BOOT_SECTOR_BYTES);
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) throw missing(source, 'no boot signature');
  const bpb = decode(fatBpb, sector.subarray(0, BPB_BYTES));
  requireUnits(source, bpb);
  const extended = bpb.fatSectors16 === 0 ? decode(fat32Extension, sector.subarray(BPB_BYTES, 90)) : undefined;
  const place = placeOf(source, bpb, extended);
  const kind = kindOf(place.clusterCount, extended !== undefined);
  if (place.clusterCount > MAX_CLUSTERS[kind]) {
    throw fatMalformed(source, `expected at most ${MAX_CLUSTERS[kind]} clusters, found ${place.clusterCount}`);
  }
  // Numbers 0 and 1 name no cluster, but have their place in the table.
  const fatNeedsBytes = Math.ceil(((place.clusterCount + 2) * FAT_BITS[kind]) / 8);
  if (place.fatBytes < fatNeedsBytes) {
    throw fatMalformed(source, `expected a table of ${fatNeedsBytes} octets at least, found ${place.fatBytes}`);
  }
  if (extended !== undefined && extended.version !== 0) {
    throw fatMalformed(source, `expected version 0.0, found ${extended.version.toString(16)}`);
  }
  const boot = extended ?? decode(fat16Extension, sector.subarray(BPB_BYTES, 62));
  const isNamed = boot.bootSignature === 0x29;
  return {
    source,
    kind,
    sectorSize: bpb.bytesPerSector,
    clusterBytes: bpb.bytesPerSector * bpb.sectorsPerCluster,
    clusterCount: place.clusterCount,
    volumeId: isNamed ? boot.volumeId : undefined,
    label: isNamed ? String.fromCharCode(...boot.label).trimEnd() : undefined,
    fatOffsetBytes: place.fatOffsetBytes,
    tables: {
      offsetBytes: bpb.reservedSectors * bpb.bytesPerSector,
      usedBytes: fatNeedsBytes,
      strideBytes: place.fatBytes,
      count: bpb.fatCount,
      areMirrored: ((extended?.extendedFlags ?? 0) & NOT_MIRRORED) === 0,
    },
    fsInfoOffsetBytes: reservedSector(bpb, extended?.fsInfoSector),
    backupBootOffsetBytes: reservedSector(bpb, extended?.backupBootSector),
    dataOffsetBytes: place.dataOffsetBytes,
    root:
      extended === undefined
        ? {
            kind: 'fixed',
            offsetBytes: place.rootOffsetBytes,
            sizeBytes: bpb.rootEntries * DIRECTORY_ENTRY_BYTES,
          }
        : { kind: 'chain', firstCluster: extended.rootCluster },
  };
}

type Bpb = Infer<typeof fatBpb>;

/** BPB_ExtFlags, bit 7: only one of the FATs is kept. Section "FAT32 Structure Starting at Offset 36". */
const NOT_MIRRORED = 0x80;

/** Where a sector before the first FAT is; 0 and all ones say that there is none. */
function reservedSector(bpb: Bpb, sector: number | undefined): number | undefined {
  return sector === undefined || sector === 0 || sector >= bpb.reservedSectors
    ? undefined
    : sector * bpb.bytesPerSector;
}

/** Microsoft FAT 1.03, "Boot Sector and BPB": the values that the units may have. */
function requireUnits(source: ByteSource, bpb: Bpb): void {
  const { bytesPerSector, sectorsPerCluster, reservedSectors, fatCount } = bpb;
  if (!isPowerOfTwo(bytesPerSector) || bytesPerSector < 512 || bytesPerSector > 4096) {
    throw missing(source, `sectors of ${bytesPerSector} octets`);
  }
  if (!isPowerOfTwo(sectorsPerCluster)) throw missing(source, `clusters of ${sectorsPerCluster} sectors`);
  if (reservedSectors === 0) throw missing(source, 'no reserved sectors');
  if (fatCount === 0 || fatCount > 16) throw missing(source, `${fatCount} file allocation tables`);
}

function missing(source: ByteSource, found: string): DiskError {
  return new DiskError(
    'fat_missing',
    `${source.label}: expected the boot sector of a FAT file system, found ${found}; is this the right partition?`,
  );
}

/** Where the parts are. Microsoft FAT 1.03, "FAT Data Structure" and "FAT Type Determination". */
function placeOf(source: ByteSource, bpb: Bpb, extended: Infer<typeof fat32Extension> | undefined) {
  const { bytesPerSector, sectorsPerCluster, reservedSectors, fatCount, rootEntries } = bpb;
  if (extended !== undefined && rootEntries !== 0) {
    throw fatMalformed(source, `expected no fixed root directory in a FAT32, found ${rootEntries} entries`);
  }
  const totalSectors = bpb.totalSectors16 !== 0 ? bpb.totalSectors16 : bpb.totalSectors32;
  if (totalSectors * bytesPerSector > source.size) {
    throw fatMalformed(source, `expected at most ${source.size} octets, found ${totalSectors} sectors`);
  }
  const fatSectors = extended?.fatSectors32 ?? bpb.fatSectors16;
  const rootSectors = Math.ceil((rootEntries * DIRECTORY_ENTRY_BYTES) / bytesPerSector);
  const dataSector = reservedSectors + fatCount * fatSectors + rootSectors;
  if (dataSector >= totalSectors) {
    throw fatMalformed(source, `expected data behind sector ${dataSector}, found ${totalSectors} sectors in all`);
  }
  // Bit 7: the FATs are no copies of each other, and the low bits say which one counts.
  const flags = extended?.extendedFlags ?? 0;
  const active = (flags & NOT_MIRRORED) === 0 ? 0 : flags & 0x0f;
  if (active >= fatCount) throw fatMalformed(source, `expected table ${active} in use, found ${fatCount} tables`);
  return {
    clusterCount: Math.floor((totalSectors - dataSector) / sectorsPerCluster),
    fatBytes: fatSectors * bytesPerSector,
    fatOffsetBytes: (reservedSectors + active * fatSectors) * bytesPerSector,
    rootOffsetBytes: (reservedSectors + fatCount * fatSectors) * bytesPerSector,
    dataOffsetBytes: dataSector * bytesPerSector,
  };
}

/**
 * Microsoft counts clusters only; but mkfs.vfat -F 32, and systemd-repart by it, make FAT32 volumes with few clusters, which
 * Linux (fs/fat/inode.c, fat_fill_super) and EDK II (FatPkg, FatOpenDevice) know by the 16-bit FAT size that is zero.
 */
function kindOf(clusterCount: number, isFat32: boolean): FatKind {
  if (isFat32) return 'fat32';
  return clusterCount <= MAX_CLUSTERS.fat12 ? 'fat12' : 'fat16';
}
