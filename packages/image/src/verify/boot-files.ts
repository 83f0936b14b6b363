// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError, toHex } from '@vouchsafe/base';
import { type ByteSource, BytesError } from '@vouchsafe/bytes';
import {
  checkFat,
  DiskError,
  type FatEntry,
  type FatVolume,
  type GptPartition,
  type GptTable,
  listFat,
  openFat,
  openFatFile,
  partitionSource,
  partitionTypeName,
} from '@vouchsafe/disk';
import { checkEsp, openPe } from '@vouchsafe/pe';
import type { VeritySet } from '../ddi/verity-sets.ts';
import { checkEntry } from './boot-entry.ts';
import type { BootFile, BootOptions } from './boot-file.ts';
import { checkProgram } from './boot-program.ts';
import { diskFinding, type ImageFinding } from './findings.ts';
import { placeOf } from './verity-set.ts';

export interface CheckedBootFiles {
  readonly files: readonly BootFile[];
  readonly findings: readonly ImageFinding[];
}

const VOLUMES: readonly string[] = ['esp', 'xbootldr'];
/** Entries and programs that are looked at; an ESP has a few. */
const MAX_FILES = 1000;
const MAX_ENTRY_BYTES = 64 * 1024;

/** The volumes that firmware reads, what boots from them, and whether that is for the root hashes of the disk. */
export function checkBootFiles(
  disk: ByteSource,
  table: GptTable,
  sets: readonly VeritySet[],
  options: BootOptions,
): CheckedBootFiles {
  const findings: ImageFinding[] = [];
  const files: BootFile[] = [];
  for (const partition of table.partitions) {
    if (!VOLUMES.includes(partitionTypeName(partition.typeUuid) ?? '')) continue;
    try {
      const volume = openFat(partitionSource(disk, table, partition));
      const checked = checkVolume(volume, partition, options);
      findings.push(...checked.findings);
      files.push(...checked.files);
    } catch (error) {
      if (!isVouchsafeError(error) || error instanceof BytesError) throw error;
      const where = placeOf(disk.label, partition);
      findings.push(diskFinding('partition_unreadable', where, { actual: error.code, hint: error.message }));
    }
  }
  findings.push(...compareRootHashes(disk.label, files, sets));
  return { files, findings };
}

function checkVolume(volume: FatVolume, partition: GptPartition, options: BootOptions): CheckedBootFiles {
  const findings: ImageFinding[] = checkFat(volume);
  const files: BootFile[] = [];
  const paths: string[] = [];
  const label = volume.source.label;
  let isTruncated = false;
  for (const entry of listFat(volume)) {
    if (entry.kind === 'directory') continue;
    paths.push(`/${entry.path}`);
    if (files.length >= MAX_FILES) {
      isTruncated ||= isBootFile(entry);
      continue;
    }
    const checked = checkFile(volume, entry, `${partition.index + 1}:/${entry.path}`, options);
    if (checked === undefined) continue;
    files.push(checked.file);
    findings.push(...checked.findings);
  }
  if (isTruncated) {
    // What is not looked at must not pass for checked.
    const hint = `only ${MAX_FILES} programs and entries of a volume are looked at; remove what is not needed`;
    findings.push(diskFinding('partition_unreadable', { artefact: label }, { actual: 'limit', hint }));
  }
  if (partitionTypeName(partition.typeUuid) === 'esp') findings.push(...checkLoader(volume, paths, files, label));
  return { files, findings };
}

const PROGRAM = /\.efi$/i;

function isBootFile({ path, sizeBytes }: FatEntry): boolean {
  return PROGRAM.test(path) || (/^loader\/entries\/[^/]+\.conf$/i.test(path) && sizeBytes <= MAX_ENTRY_BYTES);
}

function checkFile(
  volume: FatVolume,
  entry: FatEntry,
  path: string,
  options: BootOptions,
): { readonly file: BootFile; readonly findings: readonly ImageFinding[] } | undefined {
  if (!isBootFile(entry)) return undefined;
  const isProgram = PROGRAM.test(entry.path);
  try {
    const source = openFatFile(volume, entry);
    return isProgram ? checkProgram(source, path, options) : checkEntry(source, path);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const file: BootFile = { path, kind: isProgram ? 'program' : 'entry', rootHashes: [], isSigned: false };
    const where = { artefact: volume.source.label, path: entry.path };
    return {
      file,
      findings: [diskFinding('partition_unreadable', where, { actual: error.code, hint: error.message })],
    };
  }
}

/** What systemd-boot needs, unless firmware starts a kernel image itself. */
function checkLoader(
  volume: FatVolume,
  paths: readonly string[],
  files: readonly BootFile[],
  label: string,
): readonly ImageFinding[] {
  const fallback = files.find(({ path }) => /:\/EFI\/BOOT\/BOOT[A-Z0-9]+\.EFI$/i.test(path));
  if (fallback?.kind === 'uki') return [];
  if (files.length === 0) return [diskFinding('boot_missing', { artefact: label })];
  const machine = machineOf(volume) ?? 'x64';
  return checkEsp(paths, machine, label);
}

/** Of the first program that can be read. */
function machineOf(volume: FatVolume): ReturnType<typeof openPe>['fileHeader']['machine'] | undefined {
  for (const entry of listFat(volume)) {
    if (entry.kind !== 'file' || !/\.efi$/i.test(entry.path)) continue;
    try {
      const { machine } = openPe(openFatFile(volume, entry)).fileHeader;
      if (typeof machine === 'string') return machine;
    } catch (error) {
      if (!isVouchsafeError(error)) throw error;
    }
  }
  return undefined;
}

/** Each root hash on a command line is on the disk, and each on the disk is on a command line. */
function compareRootHashes(artefact: string, files: readonly BootFile[], sets: readonly VeritySet[]): ImageFinding[] {
  const onDisk = sets.map(({ rootHash }) => toHex(rootHash));
  const findings: ImageFinding[] = [];
  for (const { path, kind, rootHashes } of files) {
    const where = { artefact, path };
    for (const actual of rootHashes.filter((rootHash) => !onDisk.includes(rootHash))) {
      findings.push(diskFinding('boot_root_hash', where, { expected: onDisk.join(' or ') || 'none', actual }));
    }
    if (rootHashes.length === 0 && onDisk.length > 0 && kind === 'uki') {
      findings.push(diskFinding('boot_root_hash_missing', where));
    }
  }
  const started = files.filter(({ kind }) => kind === 'uki' || kind === 'entry');
  if (started.length === 0) return findings;
  const booted = new Set(started.flatMap(({ rootHashes }) => rootHashes));
  for (const { rootHash, hash } of sets) {
    if (booted.has(toHex(rootHash))) continue;
    findings.push(diskFinding('root_hash_unused', placeOf(artefact, hash), { actual: toHex(rootHash) }));
  }
  return findings;
}
