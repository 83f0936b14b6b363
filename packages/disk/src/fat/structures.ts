// SPDX-License-Identifier: Apache-2.0
import { bytes, constant, struct, u8, u16le, u32le } from '@vouchsafe/codec';

/** Octets of a boot sector's structure, and of FSInfo's, whatever the size of a sector. */
export const BOOT_SECTOR_BYTES = 512;
export const DIRECTORY_ENTRY_BYTES = 32;

// Sections are those of Microsoft's "FAT: General Overview of On-Disk Format", 1.03, which UEFI 2.10, section 13.3, builds on.

/** The part of a boot sector that all FATs share, 36 octets. Section "Boot Sector and BPB". */
export const fatBpb = struct('BPB', {
  jump: [bytes(3), "BS_jmpBoot: a BIOS' way to the boot code"],
  oemName: [bytes(8), 'BS_OEMName'],
  bytesPerSector: [u16le, '512 to 4096'],
  sectorsPerCluster: [u8, 'a power of two'],
  reservedSectors: [u16le, 'before the first FAT'],
  fatCount: [u8, 'BPB_NumFATs'],
  rootEntries: [u16le, 'of a FAT12 or FAT16; 0 in FAT32'],
  totalSectors16: [u16le, '0 when totalSectors32 holds it'],
  media: [u8, '0xF8 for what is not a floppy disk'],
  fatSectors16: [u16le, 'of one FAT; 0 in FAT32'],
  sectorsPerTrack: u16le,
  heads: u16le,
  hiddenSectors: [u32le, 'before the volume on its disk'],
  totalSectors32: u32le,
});

/** What follows in FAT12 and FAT16, 26 octets. Section "Boot Sector and BPB", offset 36. */
export const fat16Extension = struct('BPB of FAT12 and FAT16', {
  driveNumber: u8,
  reserved: u8,
  bootSignature: [u8, '0x29 when the next three are there'],
  volumeId: u32le,
  label: [bytes(11), 'filled up with spaces'],
  fileSystemType: [bytes(8), 'says nothing'],
});

/** What follows in FAT32, 54 octets. Section "FAT32 Structure Starting at Offset 36". */
export const fat32Extension = struct('BPB of FAT32', {
  fatSectors32: [u32le, 'of one FAT'],
  extendedFlags: [u16le, 'bit 7: only the FAT of bits 0 to 3 is in use'],
  version: [u16le, '0.0'],
  rootCluster: u32le,
  fsInfoSector: u16le,
  backupBootSector: u16le,
  reserved: bytes(12),
  driveNumber: u8,
  reserved1: u8,
  bootSignature: [u8, '0x29 when the next three are there'],
  volumeId: u32le,
  label: [bytes(11), 'filled up with spaces'],
  fileSystemType: [bytes(8), 'says nothing'],
});

/** FSInfo, 512 octets. Section "FAT32 FSInfo Sector Structure and Backup Boot Sector". */
export const fatFsInfo = struct('FSInfo', {
  leadSignature: constant(u32le, 0x41615252),
  reserved1: bytes(480),
  structureSignature: constant(u32le, 0x61417272),
  freeCount: [u32le, 'free clusters; all ones when not known'],
  nextFree: [u32le, 'where to look for a free cluster; a hint'],
  reserved2: bytes(12),
  trailSignature: constant(u32le, 0xaa550000),
});

/** A directory entry, 32 octets. Section "FAT Directory Structure". */
export const fatDirectoryEntry = struct('FAT 32 Byte Directory Entry', {
  name: [bytes(11), '8 of name and 3 of extension, filled up with spaces'],
  attributes: u8,
  caseFlags: [u8, 'DIR_NTRes: 0x08 shows the name in lower case, 0x10 the extension'],
  creationTenths: [u8, 'hundredths of a second, 0 to 199'],
  creationTime: u16le,
  creationDate: u16le,
  accessDate: u16le,
  clusterHigh: u16le,
  writeTime: u16le,
  writeDate: u16le,
  clusterLow: u16le,
  sizeBytes: [u32le, '0 for a directory'],
});

/** A part of a long name, 32 octets; the parts come last first before the entry they name. Section "FAT Long Directory Entries". */
export const fatLongNameEntry = struct('FAT Long Directory Entry', {
  order: [u8, 'from 1; 0x40 is set in the last part'],
  units1: bytes(10),
  attributes: [u8, '0x0F'],
  type: u8,
  checksum: [u8, 'of the short name'],
  units2: bytes(12),
  cluster: u16le,
  units3: bytes(4),
});

export const FAT_ATTRIBUTES = {
  readOnly: 0x01,
  hidden: 0x02,
  system: 0x04,
  volumeLabel: 0x08,
  directory: 0x10,
  archive: 0x20,
} as const;

/** read-only, hidden, system and volume label together: an entry that old systems pass over. */
export const LONG_NAME_ATTRIBUTES = 0x0f;
export const LONG_NAME_MASK = 0x3f;
export const UNITS_PER_LONG_ENTRY = 13;
export const LAST_LONG_ENTRY = 0x40;
/** Section "FAT Long Directory Entries": 255 characters, 20 entries. */
export const MAX_LONG_NAME_UNITS = 255;
/** Section "FAT Directory Structure": a directory's size, and so what a name can be looked for in, is limited to 65536 entries. */
export const MAX_DIRECTORY_ENTRIES = 65536;
/** DIR_FileSize has 32 bits. */
export const MAX_FILE_BYTES = 0xffffffff;
