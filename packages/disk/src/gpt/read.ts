// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { CodecError, decode, encode, type Infer } from '@vouchsafe/codec';
import { DiskError } from '../error.ts';
import { checkGpt } from './check.ts';
import { protectedSectors } from './encode.ts';
import { type GptCopy, type GptFinding, type GptFindingCode, gptFinding } from './findings.ts';
import { type GptCopyContent, readCopy } from './read-copy.ts';
import { ENTRY_BYTES, GPT_SIGNATURE, gptEntry, gptName, MBR_BYTES, masterBootRecord } from './structures.ts';
import type { GptPartition, GptTable, SectorSize } from './table.ts';

/** What a disk's GPT says and everything that is wrong with it. */
export interface GptReport {
  /** From the first copy whose checksums are right; undefined when neither's are. */
  readonly table: GptTable | undefined;
  readonly copy: GptCopy | undefined;
  /** Of both copies; empty for a sound table. */
  readonly findings: readonly GptFinding[];
}

const SECTOR_SIZES = [512, 4096] as const;

/**
 * Reads both copies of a disk's table and compares them. Repairs nothing: the backup is used only when the primary's
 * checksums are wrong, and that is a finding.
 * @param sectorSize of the device; found by the place of the header, unless given.
 * @throws {DiskError} 'gpt_missing' when there is no header at either end. @throws {BytesError} from the source.
 */
export function readGpt(disk: ByteSource, sectorSize: SectorSize | undefined = findSectorSize(disk)): GptReport {
  if (sectorSize === undefined || disk.size < 3 * sectorSize) {
    throw new DiskError(
      'gpt_missing',
      `${disk.label}: expected "EFI PART" in the second or the last sector, found none; is this a disk image?`,
    );
  }
  const sectors = Math.floor(disk.size / sectorSize);
  const primary = readCopy(disk, 'primary', 1, sectorSize);
  // Where the primary is sound it says where its backup is; a disk that grew has it before the end.
  const alternate = primary.content?.header.alternateLba;
  const isElsewhere = alternate !== undefined && alternate !== BigInt(sectors - 1);
  const isReadable = alternate !== undefined && alternate > 1n && alternate < BigInt(sectors);
  const backup = readCopy(disk, 'backup', isElsewhere && isReadable ? Number(alternate) : sectors - 1, sectorSize);
  const findings = [...checkMbr(disk, sectors), ...primary.findings, ...backup.findings];
  const report = (code: GptFindingCode, expected: string, actual: string): void => {
    findings.push(gptFinding(code, { artefact: disk.label }, { expected, actual }));
  };
  if (isElsewhere) report('backup_place', `block ${sectors - 1}`, `block ${alternate}`);
  if (primary.content !== undefined && backup.content !== undefined) {
    const difference = differenceOf(primary.content, backup.content);
    if (difference !== undefined) report('backup_differs', 'the same in both', difference);
  }
  const copy = primary.content !== undefined ? 'primary' : 'backup';
  const content = primary.content ?? backup.content;
  if (content === undefined) return { table: undefined, copy: undefined, findings };
  const table = tableOf(content, sectorSize, sectors, disk.label, findings);
  findings.push(...checkGpt(table, disk.label));
  return { table, copy, findings };
}

/**
 * A disk's table, for who needs a sound one.
 * @throws {DiskError} 'gpt_missing'; 'gpt_damaged' when a finding is an error. @throws {BytesError} from the source.
 */
export function requireGpt(disk: ByteSource, sectorSize?: SectorSize): GptTable {
  const { table, findings } = readGpt(disk, sectorSize);
  const worst = findings.find(({ severity }) => severity === 'error');
  if (table === undefined || worst !== undefined) {
    const place = worst?.where.path === undefined ? '' : ` at ${worst.where.path}`;
    throw new DiskError(
      'gpt_damaged',
      `${disk.label}: partition table: ${worst?.code}${place}: expected ${worst?.expected}, found ${worst?.actual}; ${worst?.hint}`,
    );
  }
  return table;
}

/** The sector size by which a header is where it belongs: the primary's, or else the backup's. */
function findSectorSize(disk: ByteSource): SectorSize | undefined {
  const isAt = (offset: number): boolean =>
    offset >= 0 && offset + 8 <= disk.size && bytesEqual(readBytes(disk, offset, 8), GPT_SIGNATURE);
  const lastSector = (size: number): number => (Math.floor(disk.size / size) - 1) * size;
  return SECTOR_SIZES.find((size) => isAt(size)) ?? SECTOR_SIZES.find((size) => isAt(lastSector(size)));
}

/** UEFI 2.10, section 5.2.3: one record of type 0xEE over the whole disk, the others unused. */
function checkMbr(disk: ByteSource, sectors: number): GptFinding[] {
  const where = { artefact: disk.label, path: 'master boot record', offset: 0 };
  let mbr: Infer<typeof masterBootRecord>;
  try {
    mbr = decode(masterBootRecord, readBytes(disk, 0, MBR_BYTES));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return [gptFinding('mbr_missing', where, { expected: '55 aa at octet 510', actual: 'other octets' })];
  }
  const { record0: protective, record1, record2, record3 } = mbr;
  const types = [protective, record1, record2, record3].map(({ osType }) => osType);
  if (protective.osType !== 0xee || protective.startingLba !== 1 || types.slice(1).some((type) => type !== 0)) {
    const actual = `types ${types.map((type) => type.toString(16).padStart(2, '0')).join(' ')}`;
    return [gptFinding('mbr_not_protective', where, { expected: 'types ee 00 00 00 from block 1', actual })];
  }
  const expected = protectedSectors(sectors);
  // Firmware and Linux take all ones for a disk of any size (Linux, block/partitions/efi.c, is_pmbr_valid).
  if (protective.sizeInLba === expected || protective.sizeInLba === 0xffffffff) return [];
  return [gptFinding('mbr_size', where, { expected: String(expected), actual: String(protective.sizeInLba) })];
}

/** The first thing that the copies say differently, though they are to be the same but for their places. */
function differenceOf(primary: GptCopyContent, backup: GptCopyContent): string | undefined {
  const names = [
    'diskGuid',
    'firstUsableLba',
    'lastUsableLba',
    'numberOfPartitionEntries',
    'sizeOfPartitionEntry',
    'partitionEntryArrayCrc32',
  ] as const;
  for (const name of names) {
    const [ours, theirs] = [primary.header[name], backup.header[name]];
    if (ours !== theirs) return `${name} ${ours} and ${theirs}`;
  }
  if (backup.header.alternateLba !== 1n) return `alternateLba ${backup.header.alternateLba} in the backup`;
  return bytesEqual(primary.entries, backup.entries) ? undefined : 'entries';
}

/** Equal to the type of an unused entry. UEFI 2.10, section 5.3.3, table 5.7. */
const isUnused = (entry: Uint8Array): boolean => entry.subarray(0, 16).every((byte) => byte === 0);

function tableOf(
  { header, entries }: GptCopyContent,
  sectorSize: SectorSize,
  sectors: number,
  artefact: string,
  findings: GptFinding[],
): GptTable {
  const partitions: GptPartition[] = [];
  for (let index = 0; index < header.numberOfPartitionEntries; index++) {
    const at = index * header.sizeOfPartitionEntry;
    const octets = entries.subarray(at, at + ENTRY_BYTES);
    if (isUnused(octets)) continue;
    const entry = decode(gptEntry, octets);
    const { label, isExact } = labelOf(entry.partitionName);
    if (!isExact) {
      const where = { artefact, path: `partition ${index + 1}` };
      findings.push(gptFinding('label_invalid', where, { expected: 'NULs behind the label', actual: 'other octets' }));
    }
    partitions.push({
      index,
      typeUuid: entry.partitionTypeGuid,
      uuid: entry.uniquePartitionGuid,
      firstLba: entry.startingLba,
      lastLba: entry.endingLba,
      attributes: entry.attributes,
      label,
    });
  }
  return {
    sectorSize,
    sectors,
    diskUuid: header.diskGuid,
    entryCount: header.numberOfPartitionEntries,
    firstUsableLba: header.firstUsableLba,
    lastUsableLba: header.lastUsableLba,
    partitions,
  };
}

/** The label up to its first NUL, as Linux and systemd read it. */
function labelOf(cell: Uint8Array): { readonly label: string; readonly isExact: boolean } {
  let end = 0;
  while (end < cell.length && (cell[end] !== 0 || cell[end + 1] !== 0)) end += 2;
  const label = decode(gptName, padded(cell.subarray(0, end), cell.length));
  return { label, isExact: bytesEqual(encode(gptName, label), cell) };
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}
