// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { commonPartitionType, encodeGpt, layoutGpt, partitionUuidFromSeed, readGpt, writeGpt } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';

const SEED = '48c56959-5579-5709-85af-f5393936a4d8';
const TYPE = commonPartitionType('esp');

function disk(sectorSize: 512 | 4096, partitions: number): Uint8Array {
  const sink = new MemorySink(1024 * 1024);
  const list = Array.from({ length: partitions }, (_, n) => {
    return { typeUuid: TYPE, uuid: partitionUuidFromSeed(SEED, TYPE, n), label: `part ${n}`, sizeBytes: 4096 };
  });
  writeGpt(sink, layoutGpt({ sectorSize, diskUuid: SEED, partitions: list }));
  return sink.bytes();
}

/** Bytes as a disk. A table without a finding is written again as the same bytes. */
export const target: FuzzTarget = {
  name: 'disk-gpt',
  seeds: () => [disk(512, 0), disk(512, 2), disk(4096, 1)],
  run(bytes) {
    const { table, findings } = readGpt(memorySource(bytes));
    if (table === undefined || findings.length > 0 || bytes.length % table.sectorSize !== 0) return;
    const { primary } = encodeGpt(table);
    // From the header on: nothing says what the rest of the first sector is.
    if (!bytesEqual(primary.subarray(table.sectorSize), bytes.subarray(table.sectorSize, primary.length))) {
      throw new Error('a table without a finding is not written again as it was');
    }
  },
};
