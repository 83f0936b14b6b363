// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from '@vouchsafe/bytes';
import { decode, encode, guid, isUuidText } from '@vouchsafe/codec';
import { alignUp } from '../align.ts';
import { crc32 } from '../crc32.ts';
import { DiskError } from '../error.ts';
import {
  ENTRY_BYTES,
  GPT_SIGNATURE,
  gptEntry,
  gptHeader,
  gptName,
  HEADER_BYTES,
  MIN_ENTRY_ARRAY_BYTES,
  masterBootRecord,
} from './structures.ts';
import { type GptPartition, type GptTable, partitionPlace } from './table.ts';

/** Entries that we read and write at most: 4 MiB of them. */
export const MAX_ENTRIES = 32768;

/** What a GPT is on its disk: two runs of octets. */
export interface EncodedGpt {
  /** Protective MBR, header and entries; from the start of the disk. */
  readonly primary: Uint8Array;
  /** Entries and header; they end with the disk. */
  readonly backup: Uint8Array;
  readonly backupOffsetBytes: number;
}

/** Sectors that the entries take: what is in use, and what is kept free for them at least. */
export function entrySectors(entryCount: number, sectorSize: number): { used: number; reserved: number } {
  const used = Math.ceil((entryCount * ENTRY_BYTES) / sectorSize);
  return { used, reserved: Math.max(used, MIN_ENTRY_ARRAY_BYTES / sectorSize) };
}

/**
 * Both copies of the table. The backup's entries are right behind the last usable block.
 * @throws {DiskError} 'options_invalid', 'limit', 'partition_range', 'name_invalid' when UEFI 2.10, section 5.3, does not
 * allow the table.
 */
export function encodeGpt(table: GptTable): EncodedGpt {
  requireSound(table);
  const { sectorSize, sectors, entryCount } = table;
  const entries = encodeEntries(table);
  const entriesCrc = crc32(entries);
  const last = sectors - 1;
  const backupEntriesLba = Number(table.lastUsableLba) + 1;

  const primary = new Uint8Array(Number(table.firstUsableLba) * sectorSize);
  primary.set(encodeProtectiveMbr(sectors));
  primary.set(encodeHeader(table, { my: 1, alternate: last, entries: 2, entriesCrc }), sectorSize);
  primary.set(entries, 2 * sectorSize);

  const backup = new Uint8Array((sectors - backupEntriesLba) * sectorSize);
  backup.set(entries);
  const header = encodeHeader(table, { my: last, alternate: 1, entries: backupEntriesLba, entriesCrc });
  backup.set(header, backup.length - sectorSize);
  if (entryCount * ENTRY_BYTES > backup.length - sectorSize) {
    throw new DiskError('options_invalid', `${entryCount} entries do not fit behind block ${table.lastUsableLba}`);
  }
  return { primary, backup, backupOffsetBytes: backupEntriesLba * sectorSize };
}

/**
 * Writes both copies; the partitions between them are left alone.
 * @throws {DiskError} as `encodeGpt`. @throws {BytesError} from the sink.
 */
export function writeGpt(sink: ByteSink, table: GptTable): void {
  const { primary, backup, backupOffsetBytes } = encodeGpt(table);
  sink.write(0, primary);
  sink.write(backupOffsetBytes, backup);
}

interface HeaderPlaces {
  readonly my: number;
  readonly alternate: number;
  readonly entries: number;
  readonly entriesCrc: number;
}

function encodeHeader(table: GptTable, { my, alternate, entries, entriesCrc }: HeaderPlaces): Uint8Array {
  const header = encode(gptHeader, {
    signature: GPT_SIGNATURE,
    revision: 0x0001_0000,
    headerSize: HEADER_BYTES,
    headerCrc32: 0,
    reserved: 0,
    myLba: BigInt(my),
    alternateLba: BigInt(alternate),
    firstUsableLba: table.firstUsableLba,
    lastUsableLba: table.lastUsableLba,
    diskGuid: table.diskUuid,
    partitionEntryLba: BigInt(entries),
    numberOfPartitionEntries: table.entryCount,
    sizeOfPartitionEntry: ENTRY_BYTES,
    partitionEntryArrayCrc32: entriesCrc,
  });
  new DataView(header.buffer).setUint32(16, crc32(header), true);
  return header;
}

function encodeEntries(table: GptTable): Uint8Array {
  const entries = new Uint8Array(table.entryCount * ENTRY_BYTES);
  for (const partition of table.partitions) {
    const entry = encode(gptEntry, {
      partitionTypeGuid: partition.typeUuid,
      uniquePartitionGuid: partition.uuid,
      startingLba: partition.firstLba,
      endingLba: partition.lastLba,
      attributes: partition.attributes,
      partitionName: encode(gptName, partition.label),
    });
    entries.set(entry, partition.index * ENTRY_BYTES);
  }
  return entries;
}

const NO_CHS = new Uint8Array(3);
const UNUSED_RECORD = {
  bootIndicator: 0,
  startingChs: NO_CHS,
  osType: 0,
  endingChs: NO_CHS,
  startingLba: 0,
  sizeInLba: 0,
};

/** One record over the whole disk, so that old tools take no part of it for free. UEFI 2.10, section 5.2.3, table 5.4. */
function encodeProtectiveMbr(sectors: number): Uint8Array {
  return encode(masterBootRecord, {
    bootCode: new Uint8Array(440),
    uniqueDiskSignature: 0,
    unknown: 0,
    record0: {
      bootIndicator: 0,
      startingChs: Uint8Array.of(0x00, 0x02, 0x00),
      osType: 0xee,
      endingChs: Uint8Array.of(0xff, 0xff, 0xff),
      startingLba: 1,
      sizeInLba: protectedSectors(sectors),
    },
    record1: UNUSED_RECORD,
    record2: UNUSED_RECORD,
    record3: UNUSED_RECORD,
    signature: 0xaa55,
  });
}

/** "Set to 0xFFFFFFFF if the size of the disk is too large to be represented". UEFI 2.10, section 5.2.3, table 5.4. */
export function protectedSectors(sectors: number): number {
  return Math.min(sectors - 1, 0xffffffff);
}

const NIL_UUID = decode(guid, new Uint8Array(16));

function requireSound(table: GptTable): void {
  const { sectorSize, sectors, entryCount, firstUsableLba, lastUsableLba } = table;
  const refuse = (problem: string): never => {
    throw new DiskError('options_invalid', `partition table: ${problem}`);
  };
  if (sectorSize !== 512 && sectorSize !== 4096) refuse(`expected sectors of 512 or 4096 octets, found ${sectorSize}`);
  if (!Number.isSafeInteger(sectors) || !Number.isSafeInteger(sectors * sectorSize))
    refuse(`expected a number of sectors, found ${sectors}`);
  if (!Number.isInteger(entryCount) || entryCount < 1 || entryCount > MAX_ENTRIES) {
    throw new DiskError('limit', `partition table: expected 1 to ${MAX_ENTRIES} entries, found ${entryCount}`);
  }
  if (!isUuidText(table.diskUuid)) refuse(`expected a disk UUID, found ${JSON.stringify(table.diskUuid)}`);
  const { used, reserved } = entrySectors(entryCount, sectorSize);
  if (firstUsableLba < BigInt(2 + reserved)) {
    refuse(`expected the first usable block at ${2 + reserved} or behind, found ${firstUsableLba}`);
  }
  if (lastUsableLba < firstUsableLba || lastUsableLba > BigInt(sectors - 2 - used)) {
    refuse(`expected the last usable block from ${firstUsableLba} to ${sectors - 2 - used}, found ${lastUsableLba}`);
  }
  // The copies are made in memory: whoever asks for more room around them than a mebibyte asks for a mistake.
  const around = Math.max(Number(firstUsableLba), sectors - 1 - Number(lastUsableLba)) * sectorSize;
  if (around > alignUp(MAX_ENTRIES * ENTRY_BYTES, 1024 * 1024) + 1024 * 1024) {
    throw new DiskError('limit', `partition table: ${around} octets around the usable blocks`);
  }
  requireSoundPartitions(table);
}

function requireSoundPartitions(table: GptTable): void {
  const indices = new Set<number>();
  const uuids = new Set<string>();
  for (const partition of table.partitions) {
    requireSoundPartition(table, partition);
    if (indices.has(partition.index)) throw invalid(partition, 'its entry is taken by another partition');
    if (uuids.has(partition.uuid.toLowerCase())) throw invalid(partition, `two partitions have UUID ${partition.uuid}`);
    indices.add(partition.index);
    uuids.add(partition.uuid.toLowerCase());
  }
  const byPlace = table.partitions.toSorted((a, b) => (a.firstLba < b.firstLba ? -1 : 1));
  for (const [i, partition] of byPlace.entries()) {
    const before = byPlace[i - 1];
    if (before !== undefined && before.lastLba >= partition.firstLba) {
      throw invalid(partition, `it begins at block ${partition.firstLba}, inside partition ${before.index + 1}`);
    }
  }
}

function requireSoundPartition(table: GptTable, partition: GptPartition): void {
  const { index, firstLba, lastLba, typeUuid, uuid, label } = partition;
  if (!Number.isInteger(index) || index < 0 || index >= table.entryCount) {
    throw invalid(partition, `expected an entry from 0 to ${table.entryCount - 1}, found ${index}`);
  }
  if (!isUuidText(typeUuid) || typeUuid === NIL_UUID) throw invalid(partition, 'expected a type UUID that is not zero');
  if (!isUuidText(uuid) || uuid === NIL_UUID) throw invalid(partition, 'expected a UUID that is not zero');
  if (label.length > 36 || label.includes('\0')) {
    throw new DiskError(
      'name_invalid',
      `partition ${index + 1}: expected a label of at most 36 UTF-16 code units without NUL, found ${JSON.stringify(label)}`,
    );
  }
  partitionPlace(table, partition);
  if (firstLba < table.firstUsableLba || lastLba > table.lastUsableLba) {
    throw new DiskError(
      'partition_range',
      `partition ${index + 1}: expected blocks inside ${table.firstUsableLba} to ${table.lastUsableLba}, found ${firstLba} to ${lastLba}`,
    );
  }
}

function invalid({ index }: GptPartition, problem: string): DiskError {
  return new DiskError('options_invalid', `partition ${index + 1}: ${problem}`);
}
