// SPDX-License-Identifier: Apache-2.0
import { type GptFinding, type GptFindingCode, gptFinding } from './findings.ts';
import type { GptPartition, GptTable } from './table.ts';

/** Bits 3 to 47: "must be zero". UEFI 2.10, section 5.3.3, table 5.8. */
const RESERVED_ATTRIBUTES = ((1n << 45n) - 1n) << 3n;

/** What is wrong with the places and names in a table, whatever its checksums say. */
export function checkGpt(table: GptTable, artefact: string): GptFinding[] {
  const findings: GptFinding[] = [];
  const { firstUsableLba, lastUsableLba, sectors } = table;
  const report = (code: GptFindingCode, path: string, expected: string, actual: string): void => {
    findings.push(gptFinding(code, { artefact, path }, { expected, actual }));
  };
  const usable = `${firstUsableLba} to ${lastUsableLba}`;
  if (firstUsableLba < 2n || lastUsableLba >= BigInt(sectors - 1) || firstUsableLba > lastUsableLba + 1n) {
    report('usable_range', 'firstUsableLba', `blocks inside 2 to ${sectors - 2}`, usable);
  }
  const uuids = new Map<string, number>();
  for (const partition of table.partitions) {
    const { firstLba, lastLba, uuid, index } = partition;
    const path = `partition ${index + 1}`;
    const place = `${firstLba} to ${lastLba}`;
    if (lastLba < firstLba) report('partition_size', path, 'a last block behind the first', place);
    else if (firstLba < firstUsableLba || lastLba > lastUsableLba) report('partition_range', path, usable, place);
    const other = uuids.get(uuid);
    if (other === undefined) uuids.set(uuid, index);
    else report('uuid_duplicate', path, `not that of partition ${other + 1}`, uuid);
    const unknown = partition.attributes & RESERVED_ATTRIBUTES;
    if (unknown !== 0n) report('attribute_unknown', path, 'bits 3 to 47 zero', `0x${unknown.toString(16)}`);
  }
  for (const [before, after] of overlaps(table.partitions)) {
    const place = `blocks ${after.firstLba} to ${after.lastLba}`;
    report('partition_overlap', `partition ${after.index + 1}`, `nothing of partition ${before.index + 1}`, place);
  }
  return findings;
}

/** Each partition that begins before an earlier one has ended, with the one that reaches furthest. */
function overlaps(partitions: readonly GptPartition[]): [GptPartition, GptPartition][] {
  const byPlace = partitions
    .filter(({ firstLba, lastLba }) => firstLba <= lastLba)
    .toSorted((a, b) => (a.firstLba === b.firstLba ? a.index - b.index : a.firstLba < b.firstLba ? -1 : 1));
  const found: [GptPartition, GptPartition][] = [];
  let furthest: GptPartition | undefined;
  for (const partition of byPlace) {
    if (furthest !== undefined && partition.firstLba <= furthest.lastLba) found.push([furthest, partition]);
    if (furthest === undefined || partition.lastLba > furthest.lastLba) furthest = partition;
  }
  return found;
}
