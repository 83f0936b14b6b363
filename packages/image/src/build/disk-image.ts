// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import {
  architecturePartitionType,
  commonPartitionType,
  diskUuidFromSeed,
  encodeAttributes,
  type FatMember,
  fatVolumeIdFromUuid,
  fileSystemUuidFromPartition,
  type GptTable,
  layoutGpt,
  partitionPlace,
  partitionUuidFromSeed,
  partitionUuidsFromRootHash,
  planFat32,
  writeGpt,
} from '@vouchsafe/disk';
import type { VerityRoot } from './verity-root.ts';

export interface DiskImageRequest {
  readonly esp: readonly FatMember[];
  readonly root: VerityRoot;
  readonly seedUuid: string;
  readonly timestampSeconds: number;
  readonly path: string;
  readonly force?: boolean;
}

/**
 * Writes a discoverable disk: an ESP, a root and its hash tree, whose partitions' UUIDs are the halves of the root hash.
 * @returns the partition table, which firmware measures.
 * @throws {DiskError} @throws {BytesError}
 */
export function writeDiskImage(request: DiskImageRequest): GptTable {
  const { root, seedUuid, timestampSeconds } = request;
  using data = FileSource.open(root.dataPath);
  using hash = FileSource.open(root.hashPath);
  const espType = commonPartitionType('esp');
  const espUuid = partitionUuidFromSeed(seedUuid, espType);
  const esp = planFat32({
    members: request.esp,
    sectorSize: 512,
    volumeId: fatVolumeIdFromUuid(fileSystemUuidFromPartition(espUuid)),
    label: 'ESP',
    timestampSeconds,
  });
  const uuids = partitionUuidsFromRootHash(root.rootHash);
  const attributes = encodeAttributes(['readOnly']);
  const table = layoutGpt({
    sectorSize: 512,
    diskUuid: diskUuidFromSeed(seedUuid),
    partitions: [
      { typeUuid: espType, uuid: espUuid, label: 'esp', sizeBytes: esp.sizeBytes },
      {
        typeUuid: architecturePartitionType('root', 'x86-64'),
        uuid: uuids.data,
        label: 'root-x86-64',
        attributes,
        sizeBytes: data.size,
      },
      {
        typeUuid: architecturePartitionType('root-verity', 'x86-64'),
        uuid: uuids.hash,
        label: 'root-x86-64-verity',
        attributes,
        sizeBytes: hash.size,
      },
    ],
  });
  using disk = OutputFile.create(request.path, { force: request.force ?? false });
  writeGpt(disk, table);
  const places = table.partitions.map((partition) => partitionPlace(table, partition).offsetBytes) as [
    number,
    number,
    number,
  ];
  esp.write(disk, places[0]);
  copyTo(data, disk, places[1]);
  copyTo(hash, disk, places[2]);
  disk.commit();
  return table;
}

const CHUNK_BYTES = 1024 * 1024;

function copyTo(source: ByteSource, sink: OutputFile, offset: number): void {
  for (const { start, end } of source.dataExtents?.() ?? [{ start: 0, end: source.size }]) {
    for (let at = start; at < end; at += CHUNK_BYTES) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
      source.read(at, chunk);
      sink.write(offset + at, chunk);
    }
  }
}
