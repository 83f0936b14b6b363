// SPDX-License-Identifier: Apache-2.0
import { uefiGptData } from '../data/structures.ts';
import { orHex } from './parts.ts';

/** EV_EFI_GPT_EVENT taken apart. */
export function gptYaml(data: Uint8Array): string {
  return orHex(uefiGptData, data, ({ efiPartitionHeader: h, numberOfPartitions, partitions }) => {
    const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
    const lines = [
      '  Event:',
      '    Header:',
      '      Signature: "EFI PART"',
      `      Revision: ${hex(h.revision)}`,
      `      HeaderSize: ${h.headerSize}`,
      `      HeaderCRC32: ${hex(h.headerCrc32)}`,
      `      MyLBA: ${hex(h.myLba)}`,
      `      AlternateLBA: ${hex(h.alternateLba)}`,
      `      FirstUsableLBA: ${hex(h.firstUsableLba)}`,
      `      LastUsableLBA: ${hex(h.lastUsableLba)}`,
      `      DiskGUID: ${h.diskGuid}`,
      `      PartitionEntryLBA: ${hex(h.partitionEntryLba)}`,
      `      NumberOfPartitionEntry: ${h.numberOfPartitionEntries}`,
      `      SizeOfPartitionEntry: ${h.sizeOfPartitionEntry}`,
      `      PartitionEntryArrayCRC32: ${hex(h.partitionEntryArrayCrc32)}`,
      `    NumberOfPartitions: ${numberOfPartitions}`,
      '    Partitions:',
      ...partitions.flatMap((p) => [
        `    - PartitionTypeGUID: ${p.partitionTypeGuid}`,
        `      UniquePartitionGUID: ${p.uniquePartitionGuid}`,
        `      StartingLBA: ${hex(p.startingLba)}`,
        `      EndingLBA: ${hex(p.endingLba)}`,
        `      Attributes: ${hex(p.attributes)}`,
        `      PartitionName: "${p.partitionName}"`,
      ]),
      '',
    ];
    return lines.join('\n');
  });
}
