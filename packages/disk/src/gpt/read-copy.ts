// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { CodecError, decode, type Infer } from '@vouchsafe/codec';
import { crc32 } from '../crc32.ts';
import { MAX_ENTRIES } from './encode.ts';
import { type GptCopy, type GptFinding, type GptFindingCode, gptFinding } from './findings.ts';
import { ENTRY_BYTES, GPT_SIGNATURE, gptHeader, HEADER_BYTES } from './structures.ts';

/** A header with its checksum right, and the entries it vouches for. */
export interface GptCopyContent {
  readonly header: Infer<typeof gptHeader>;
  /** All of the entries as they are on the disk. */
  readonly entries: Uint8Array;
}

const MAX_ENTRY_ARRAY_BYTES = MAX_ENTRIES * ENTRY_BYTES;

/**
 * One copy of the table, or what is wrong with it. Only a copy whose two checksums are right is believed, as UEFI 2.10,
 * section 5.3.2, tells firmware to.
 */
export function readCopy(
  disk: ByteSource,
  copy: GptCopy,
  lba: number,
  sectorSize: number,
): { readonly content: GptCopyContent | undefined; readonly findings: GptFinding[] } {
  const findings: GptFinding[] = [];
  const report = (code: GptFindingCode, path: string, expected: string, actual: string, offset = lba * sectorSize) => {
    const artefact = `${disk.label} (${copy} table)`;
    findings.push(gptFinding(code, { artefact, path, offset }, { expected, actual }));
    return { content: undefined, findings };
  };

  const sector = readBytes(disk, lba * sectorSize, sectorSize);
  if (!bytesEqual(sector.subarray(0, 8), GPT_SIGNATURE)) {
    return report('header_missing', 'signature', 'EFI PART', 'other octets');
  }
  let header: Infer<typeof gptHeader>;
  try {
    header = decode(gptHeader, sector.subarray(0, HEADER_BYTES));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return report('header_invalid', error.path, 'a valid header', error.detail);
  }
  const { headerSize } = header;
  if (headerSize < HEADER_BYTES || headerSize > sectorSize) {
    return report('header_invalid', 'headerSize', `${HEADER_BYTES} to ${sectorSize}`, String(headerSize));
  }
  const crc = headerCrc(sector.subarray(0, headerSize));
  if (crc !== header.headerCrc32) return report('header_crc', 'headerCrc32', hex(crc), hex(header.headerCrc32));
  if (header.myLba !== BigInt(lba)) report('header_place', 'myLba', String(lba), String(header.myLba));
  if (header.reserved !== 0 || sector.subarray(HEADER_BYTES).some((byte) => byte !== 0)) {
    report('header_reserved', 'reserved', 'zeros', 'other octets');
  }

  const { numberOfPartitionEntries: count, sizeOfPartitionEntry: size } = header;
  if (size < ENTRY_BYTES || (size & (size - 1)) !== 0) {
    return report('header_invalid', 'sizeOfPartitionEntry', '128 times a power of two', String(size));
  }
  if (count === 0) return report('header_invalid', 'numberOfPartitionEntries', '1 at least', '0');
  if (count * size > MAX_ENTRY_ARRAY_BYTES) {
    return report(
      'entries_limit',
      'numberOfPartitionEntries',
      `at most ${MAX_ENTRY_ARRAY_BYTES / size}`,
      String(count),
    );
  }
  const diskSectors = BigInt(Math.floor(disk.size / sectorSize));
  const arraySectors = BigInt(Math.ceil((count * size) / sectorSize));
  const { partitionEntryLba: start } = header;
  // Section 5.3.1: the entries lie outside the usable blocks, and so never in a partition.
  const isBehind = start > header.lastUsableLba && start + arraySectors <= diskSectors;
  const isBefore = start >= 2n && start + arraySectors <= header.firstUsableLba && start + arraySectors <= diskSectors;
  if (copy === 'primary' ? !isBefore : !isBehind) {
    const expected = `${arraySectors} blocks ${copy === 'primary' ? 'before' : 'behind'} the usable ones`;
    return report('entries_range', 'partitionEntryLba', expected, `block ${start}`);
  }
  // The range was checked just above, so the block number is a safe integer.
  const offset = Number(start) * sectorSize;
  const entries = readBytes(disk, offset, count * size);
  const entriesCrc = crc32(entries);
  if (entriesCrc !== header.partitionEntryArrayCrc32) {
    const expected = hex(header.partitionEntryArrayCrc32);
    return report('entries_crc', 'partitionEntryArrayCrc32', expected, hex(entriesCrc), offset);
  }
  return { content: { header, entries }, findings };
}

/** Over headerSize octets, with the checksum's own field zero. UEFI 2.10, section 5.3.2, table 5.5, HeaderCRC32. */
function headerCrc(octets: Uint8Array): number {
  const copy = octets.slice();
  copy.fill(0, 16, 20);
  return crc32(copy);
}

const hex = (crc: number): string => `0x${crc.toString(16).padStart(8, '0')}`;
