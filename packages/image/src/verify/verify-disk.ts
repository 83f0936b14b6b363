// SPDX-License-Identifier: Apache-2.0
import { type LongWork, toHex } from '@vouchsafe/base';
import type { FileSource } from '@vouchsafe/bytes/node';
import { DiskError, EMPTY_SLOT_LABEL, type GptTable, partitionTypeName, readGpt } from '@vouchsafe/disk';
import type { EfiSignatureList } from '@vouchsafe/pe';
import type { Certificate } from '@vouchsafe/pki';
import { findVeritySets, type VeritySet } from '../ddi/verity-sets.ts';
import type { BootFile } from './boot-file.ts';
import { checkBootFiles } from './boot-files.ts';
import { checkExtensions } from './extensions.ts';
import { diskFinding, type ImageFinding } from './findings.ts';
import { checkRootHashSignature } from './root-hash-signature.ts';
import { checkVeritySet } from './verity-set.ts';

export interface VerifyDiskOptions {
  /** Who may have signed root hashes; without any, only that signatures hold is checked. */
  readonly rootHashSigners: readonly Certificate[];
  /** What firmware trusts; without it, only that signatures hold is checked. */
  readonly db?: readonly EfiSignatureList[] | undefined;
  readonly dbx?: readonly EfiSignatureList[] | undefined;
  /** Threads to hash with; as the machine and the size suggest unless given. */
  readonly threads?: number | undefined;
  /** What the image is called, where its name counts, as that of an extension does. */
  readonly name: string;
}

/** A root hash that was checked, down to every block below it. */
export interface VerifiedRoot {
  readonly what: 'root' | 'usr';
  readonly architecture: string;
  readonly rootHash: string;
  readonly dataBlocks: number;
  /** The subject of the trusted certificate whose key signed it. */
  readonly signedBy?: string;
}

export interface DiskVerdict {
  /** True when no finding is an error. */
  readonly isGood: boolean;
  readonly findings: readonly ImageFinding[];
  /** What the verdict rests on. */
  readonly roots: readonly VerifiedRoot[];
  readonly bootFiles: readonly BootFile[];
  /** Partitions whose content nothing covers, by number and label. */
  readonly uncovered: readonly { readonly number: number; readonly label: string; readonly type: string }[];
}

/**
 * Checks all that a disk image promises, offline: its table, every block of every hash tree and its data, the signatures of
 * root hashes, the UUIDs that follow from them, the volumes that firmware reads, the signatures of what boots, and that what
 * boots is for these root hashes.
 * @throws {DiskError} 'gpt_missing', 'gpt_damaged' where no table can be read. @throws {BytesError}
 */
export async function verifyDisk(
  disk: FileSource,
  options: VerifyDiskOptions,
  work: LongWork = {},
): Promise<DiskVerdict> {
  const { table, findings: tableFindings } = readGpt(disk);
  if (table === undefined) {
    const codes = tableFindings.map(({ code }) => code).join(', ');
    throw new DiskError('gpt_damaged', `${disk.label}: neither copy of the partition table can be read: ${codes}`);
  }
  const findings: ImageFinding[] = [...tableFindings];
  const { sets, problems } = findVeritySets(disk, table);
  for (const { partition, code, message } of problems) {
    const where = { artefact: disk.label, path: `partition ${partition.index + 1}` };
    findings.push(diskFinding('partition_unreadable', where, { actual: code, hint: message }));
  }
  const roots: VerifiedRoot[] = [];
  for (const set of sets) {
    const found = await checkVeritySet(disk, table, set, options.threads, work);
    const { findings: signatureFindings, signedBy } = checkRootHashSignature(disk.label, set, options.rootHashSigners);
    findings.push(...found, ...signatureFindings);
    const { what, architecture, rootHash, header } = set;
    if (found.some(({ severity }) => severity === 'error')) continue;
    const root = { what, architecture, rootHash: toHex(rootHash), dataBlocks: header.dataBlocks };
    roots.push(signedBy === undefined ? root : { ...root, signedBy });
  }
  findings.push(...unprotected(disk.label, table, sets), ...strayBetween(disk.label, table, sets));
  const boot = checkBootFiles(disk, table, sets, options);
  findings.push(...boot.findings, ...checkExtensions(disk, table, options.name));
  if (sets.length === 0 && boot.files.length === 0)
    findings.push(diskFinding('nothing_promised', { artefact: disk.label }));
  return {
    isGood: findings.every(({ severity }) => severity !== 'error'),
    findings,
    roots,
    bootFiles: boot.files,
    uncovered: uncoveredPartitions(table, sets),
  };
}

const nameOf = ({ typeUuid }: { readonly typeUuid: string }): string => partitionTypeName(typeUuid) ?? typeUuid;

/** Root and /usr partitions that no tree is for; empty slots hold nothing to protect. */
function unprotected(artefact: string, table: GptTable, sets: readonly VeritySet[]): ImageFinding[] {
  const covered = new Set(sets.map(({ data }) => data?.index));
  return table.partitions
    .filter((p) => /^(root|usr)-(?!.*-verity)/.test(nameOf(p)) && p.label !== EMPTY_SLOT_LABEL && !covered.has(p.index))
    .map(({ index, label }) =>
      diskFinding('partition_unprotected', { artefact, path: `partition ${index + 1}` }, { actual: label }),
    );
}

/** Signature partitions whose root hash no tree has. */
function strayBetween(artefact: string, table: GptTable, sets: readonly VeritySet[]): ImageFinding[] {
  const used = new Set(sets.map(({ signature }) => signature?.index));
  return table.partitions
    .filter((p) => nameOf(p).endsWith('-verity-sig') && p.label !== EMPTY_SLOT_LABEL && !used.has(p.index))
    .map(({ index }) => diskFinding('signature_without_tree', { artefact, path: `partition ${index + 1}` }));
}

function uncoveredPartitions(table: GptTable, sets: readonly VeritySet[]): DiskVerdict['uncovered'] {
  const covered = new Set(sets.flatMap(({ data, hash, signature }) => [data?.index, hash.index, signature?.index]));
  return table.partitions
    .filter(({ index, label }) => !covered.has(index) && label !== EMPTY_SLOT_LABEL)
    .map((partition) => ({ number: partition.index + 1, label: partition.label, type: nameOf(partition) }));
}
