// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import {
  attributeNames,
  DiskError,
  type GptPartition,
  type GptTable,
  partitionPlace,
  partitionSource,
  partitionTypeName,
  readGpt,
} from '@vouchsafe/disk';
import { findVeritySets } from '../ddi/verity-sets.ts';
import type { ArtefactHead, Content, DiskDescription, PartitionDescription } from './description.ts';

/** Says what is in a part, or why nothing can be said. */
export type DescribeContent = (source: ByteSource) => Content;

/** Partitions that are looked into; a table can have 32768. */
const MAX_OPENED = 256;

/** @throws {DiskError} 'gpt_missing', 'gpt_damaged' where neither copy can be read. @throws {BytesError} */
export function describeDisk(
  source: ByteSource,
  head: Omit<ArtefactHead, 'kind'>,
  describe: DescribeContent,
): DiskDescription {
  const { table, findings } = readGpt(source);
  if (table === undefined) {
    const reasons = findings.map(({ code }) => code).join(', ');
    throw new DiskError('gpt_damaged', `${source.label}: neither copy of the partition table can be read: ${reasons}`);
  }
  const verity = findVeritySets(source, table).sets.map(({ rootHash, hash, data, signature }) => ({
    rootHash: toHex(rootHash),
    hash: hash.index + 1,
    ...(data === undefined ? {} : { data: data.index + 1 }),
    ...(signature === undefined ? {} : { signature: signature.index + 1 }),
  }));
  return {
    ...head,
    kind: 'disk',
    sectorSize: table.sectorSize,
    diskUuid: table.diskUuid,
    partitions: table.partitions.map((partition, i) => describePartition(source, table, partition, i, describe)),
    verity,
    findings,
  };
}

function describePartition(
  disk: ByteSource,
  table: GptTable,
  partition: GptPartition,
  place: number,
  describe: DescribeContent,
): PartitionDescription {
  const { index, label, typeUuid, uuid, firstLba, lastLba, attributes } = partition;
  return {
    number: index + 1,
    label,
    type: partitionTypeName(typeUuid) ?? typeUuid,
    typeUuid,
    uuid,
    offsetBytes: Number(firstLba) * table.sectorSize,
    sizeBytes: lastLba < firstLba ? 0 : Number(lastLba - firstLba + 1n) * table.sectorSize,
    attributes: attributeNames(attributes),
    content: contentOf(disk, table, partition, place, describe),
  };
}

function contentOf(
  disk: ByteSource,
  table: GptTable,
  partition: GptPartition,
  place: number,
  describe: DescribeContent,
): Content {
  if (place >= MAX_OPENED)
    return { error: { code: 'limit', message: `only ${MAX_OPENED} partitions are looked into` } };
  try {
    partitionPlace(table, partition);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
  return describe(partitionSource(disk, table, partition));
}
