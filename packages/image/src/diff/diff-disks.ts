// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import {
  attributeNames,
  DiskError,
  type GptPartition,
  type GptTable,
  partitionSource,
  partitionTypeName,
  readGpt,
} from '@vouchsafe/disk';
import type { Differences } from './difference.ts';

/**
 * Tables, and then each partition with the one that has its place among those of its type.
 * @param diffContent compares what is in them.
 */
export function diffDisks(
  before: ByteSource,
  after: ByteSource,
  path: readonly string[],
  differences: Differences,
  diffContent: (before: ByteSource, after: ByteSource, path: readonly string[]) => void,
): void {
  const [earlier, later] = [tableOf(before), tableOf(after)];
  const compare = (field: string, of: (table: GptTable) => string | number): void =>
    differences.compare(path, field, String(of(earlier)), String(of(later)));
  compare('disk UUID', ({ diskUuid }) => diskUuid);
  compare('sector size', ({ sectorSize }) => sectorSize);
  compare('size', ({ sectors, sectorSize }) => sectors * sectorSize);
  const others = byName(earlier);
  for (const [name, partition] of byName(later)) {
    const here = [...path, `partition ${name}`];
    const other = others.get(name);
    others.delete(name);
    if (other === undefined) {
      differences.added(here, partition.label);
      continue;
    }
    diffEntries([earlier, other], [later, partition], here, differences);
    const [one, two] = [contentOf(before, earlier, other), contentOf(after, later, partition)];
    // What lies outside the disk has no content, which the places above have said.
    if (one !== undefined && two !== undefined) diffContent(one, two, here);
  }
  for (const [name, partition] of others) differences.removed([...path, `partition ${name}`], partition.label);
}

function contentOf(disk: ByteSource, table: GptTable, partition: GptPartition): ByteSource | undefined {
  try {
    return partitionSource(disk, table, partition);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return undefined;
  }
}

type Placed = readonly [table: GptTable, partition: GptPartition];

function diffEntries(before: Placed, after: Placed, path: readonly string[], differences: Differences): void {
  const compare = (field: string, of: (table: GptTable, partition: GptPartition) => string | number): void =>
    differences.compare(path, field, String(of(...before)), String(of(...after)));
  compare('label', (_, { label }) => label);
  compare('UUID', (_, { uuid }) => uuid);
  compare('place', ({ sectorSize }, { firstLba }) => Number(firstLba) * sectorSize);
  compare('size', ({ sectorSize }, { firstLba, lastLba }) => Number(lastLba - firstLba + 1n) * sectorSize);
  compare('attributes', (_, { attributes }) => attributeNames(attributes).join(', ') || 'none');
}

/** By type, with a number from the second of a type on. */
function byName({ partitions }: GptTable): Map<string, GptPartition> {
  const named = new Map<string, GptPartition>();
  for (const partition of partitions) {
    const type = partitionTypeName(partition.typeUuid) ?? partition.typeUuid;
    let name = type;
    for (let n = 2; named.has(name); n++) name = `${type} (${n})`;
    named.set(name, partition);
  }
  return named;
}

function tableOf(disk: ByteSource): GptTable {
  const { table, findings } = readGpt(disk);
  if (table !== undefined) return table;
  const codes = findings.map(({ code }) => code).join(', ');
  throw new DiskError('gpt_damaged', `${disk.label}: neither copy of the partition table can be read: ${codes}`);
}
