// SPDX-License-Identifier: Apache-2.0
import { isVouchsafeError, type LongWork } from '@vouchsafe/base';
import { type ByteSource, BytesError } from '@vouchsafe/bytes';
import type { FileSource } from '@vouchsafe/bytes/node';
import { type GptPartition, type GptTable, partitionPlace, partitionUuidsFromRootHash } from '@vouchsafe/disk';
import { verityFindings } from '@vouchsafe/verity';
import { verifyOpenFiles } from '@vouchsafe/verity/node';
import type { VeritySet } from '../ddi/verity-sets.ts';
import { diskFinding, type ImageFinding } from './findings.ts';

/** Where a partition is, in findings. */
export const placeOf = (artefact: string, { index }: GptPartition): ImageFinding['where'] => {
  return { artefact, path: `partition ${index + 1}` };
};

/**
 * Every block of a tree and its data, and that both partitions have the UUIDs that systemd looks for.
 * @throws {BytesError}
 */
export async function checkVeritySet(
  disk: FileSource,
  table: GptTable,
  set: VeritySet,
  threads: number | undefined,
  work: LongWork,
): Promise<ImageFinding[]> {
  const { data, hash, header, rootHash } = set;
  const artefact = disk.label;
  if (data === undefined) return [diskFinding('tree_without_data', placeOf(artefact, hash))];
  const findings: ImageFinding[] = [];
  const uuids = rootHash.length < 32 ? undefined : partitionUuidsFromRootHash(rootHash);
  const checkUuid = (code: 'data_uuid' | 'hash_uuid', partition: GptPartition, expected: string): void => {
    if (partition.uuid === expected) return;
    findings.push(diskFinding(code, placeOf(artefact, partition), { expected, actual: partition.uuid }));
  };
  if (uuids !== undefined) {
    checkUuid('data_uuid', data, uuids.data);
    checkUuid('hash_uuid', hash, uuids.hash);
  }
  const sourceOf = (partition: GptPartition): FileSource => {
    const { offsetBytes, sizeBytes } = partitionPlace(table, partition);
    return disk.part(offsetBytes, sizeBytes, `${artefact} partition ${partition.index + 1}`);
  };
  try {
    const dataSource = sourceOf(data);
    const tree = { parameters: header, place: { offset: 0, hasSuperblock: true } };
    const report = await verifyOpenFiles(dataSource, sourceOf(hash), tree, rootHash, threads, work);
    const names = { data: `${artefact} partition ${data.index + 1}`, hash: `${artefact} partition ${hash.index + 1}` };
    findings.push(...verityFindings(report, rootHash, names, 'Write the image again.'));
    const used = firstUsed(dataSource, header.dataBlocks * header.dataBlockSize);
    if (used !== undefined) {
      findings.push(diskFinding('data_uncovered', { ...placeOf(artefact, data), offset: used }));
    }
  } catch (error) {
    // What cannot be a tree of this data, as the header says it, is a finding about the image.
    if (!isVouchsafeError(error) || error instanceof BytesError) throw error;
    findings.push(
      diskFinding('partition_unreadable', placeOf(artefact, hash), { actual: error.code, hint: error.message }),
    );
  }
  return findings;
}

const CHUNK_BYTES = 1024 * 1024;

/** The first octet that is not zero, from an offset on; holes are passed over. */
function firstUsed(source: ByteSource, from: number): number | undefined {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (const { start, end } of source.dataExtents?.() ?? [{ start: 0, end: source.size }]) {
    for (let at = Math.max(from, start); at < end; at += CHUNK_BYTES) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, end - at));
      source.read(at, chunk);
      const used = chunk.findIndex((octet) => octet !== 0);
      if (used >= 0) return at + used;
    }
  }
  return undefined;
}
