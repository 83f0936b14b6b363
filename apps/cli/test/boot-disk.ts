// SPDX-License-Identifier: Apache-2.0
import { OutputFile } from '@vouchsafe/bytes/node';
import { commonPartitionType, type FatMember, layoutGpt, partitionPlace, planFat32, writeGpt } from '@vouchsafe/disk';

/** A disk with an EFI system partition and nothing else; sparse, so that it costs nothing. */
export function writeBootDisk(path: string, members: readonly FatMember[], sectorSize: 512 | 4096 = 512): void {
  const esp = planFat32({ members, sectorSize, volumeId: 1, label: 'ESP', timestampSeconds: 1_700_000_000 });
  const table = layoutGpt({
    sectorSize,
    diskUuid: '11111111-2222-4333-8444-555555555555',
    partitions: [
      {
        typeUuid: commonPartitionType('esp'),
        uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
        label: 'esp',
        sizeBytes: esp.sizeBytes,
      },
    ],
  });
  using disk = OutputFile.create(path, { force: true });
  writeGpt(disk, table);
  const [partition] = table.partitions;
  if (partition === undefined) throw new Error('there is one partition');
  esp.write(disk, partitionPlace(table, partition).offsetBytes);
  disk.commit();
}
