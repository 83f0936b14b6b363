// SPDX-License-Identifier: Apache-2.0
import { alignDown, alignUp } from '../align.ts';
import { DiskError } from '../error.ts';
import { diskUuidFromSeed, partitionUuidFromSeed, partitionUuidsFromRootHash } from '../gpt/derive.ts';
import { entrySectors } from '../gpt/encode.ts';
import { DEFAULT_ENTRY_COUNT, DEFAULT_GRAIN_BYTES, layoutGpt, type PartitionRequest } from '../gpt/layout.ts';
import { partitionTypeName } from '../gpt/partition-types.ts';
import type { GptTable, SectorSize } from '../gpt/table.ts';
import { defaultAttributes, type PartitionDefinition } from './definition.ts';

/** A definition with the octets that its content needs. */
export interface SizedDefinition extends PartitionDefinition {
  /** 0 for a partition that is left empty. */
  readonly contentBytes: number;
}

export interface DefinitionsLayout {
  readonly definitions: readonly SizedDefinition[];
  readonly seedUuid: string;
  readonly sectorSize: SectorSize;
  /** Of the whole disk; the least that holds everything unless given. */
  readonly sizeBytes?: number | undefined;
  /** Where the first partition begins at the earliest; right behind the table unless given. */
  readonly startBytes?: number | undefined;
  /** Derived from the seed unless given. */
  readonly diskUuid?: string | undefined;
}

/** Smaller than this nothing is: a partition of no size is none. */
const LEAST_PARTITION_BYTES = DEFAULT_GRAIN_BYTES;

/**
 * Gives each definition its size and place, in their order, with UUIDs derived from the seed as systemd-repart derives them.
 * Those that follow from a root hash are put in by `withRootHashes`, when it is known.
 * @throws {DiskError} 'definition_invalid' when a size is none, or the content does not fit into the largest;
 * as `layoutGpt`.
 */
export function layoutDefinitions(request: DefinitionsLayout): GptTable {
  const { definitions, seedUuid, sectorSize, sizeBytes, startBytes } = request;
  const uuids = definitionUuids(definitions, seedUuid);
  const labels = new Set(definitions.flatMap(({ label }) => label ?? []));
  let at = alignUp(startBytes ?? tableBytes(DEFAULT_ENTRY_COUNT, sectorSize), DEFAULT_GRAIN_BYTES);
  let paddingBehind = 0;
  const partitions = definitions.map((definition, i): PartitionRequest => {
    const { typeUuid, label, paddingBytes = 0, attributes = defaultAttributes(definition) } = definition;
    const size = partitionBytes(definition);
    const offsetBytes = at;
    paddingBehind = alignUp(requireSize(definition, 'padding', paddingBytes), DEFAULT_GRAIN_BYTES);
    at += size + paddingBehind;
    return {
      typeUuid,
      uuid: uuids[i] as string,
      label: label ?? defaultLabel(typeUuid, labels),
      attributes,
      sizeBytes: size,
      offsetBytes,
    };
  });
  const diskUuid = request.diskUuid ?? diskUuidFromSeed(seedUuid);
  const table = layoutGpt({ sectorSize, diskUuid, partitions, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
  if (sizeBytes !== undefined || paddingBehind === 0) return table;
  const padded = table.sectors * sectorSize + paddingBehind;
  return layoutGpt({ sectorSize, diskUuid, partitions, sizeBytes: padded });
}

/**
 * The UUID of each partition that is given, or that systemd-repart derives from a seed: from it follow those of file
 * systems, also where a root hash takes its place in the table afterwards.
 */
export function definitionUuids(definitions: readonly PartitionDefinition[], seedUuid: string): readonly string[] {
  const perType = new Map<string, number>();
  return definitions.map(({ typeUuid, uuid }) => {
    const n = perType.get(typeUuid) ?? 0;
    perType.set(typeUuid, n + 1);
    return uuid ?? partitionUuidFromSeed(seedUuid, typeUuid, n);
  });
}

/** Octets before the first usable block: the master boot record, the header and the entries. */
function tableBytes(entryCount: number, sectorSize: SectorSize): number {
  return (2 + entrySectors(entryCount, sectorSize).reserved) * sectorSize;
}

/**
 * The size of a partition: what its content and its room for growth need, inside its bounds.
 * @throws {DiskError} 'definition_invalid'.
 */
export function partitionBytes(definition: SizedDefinition): number {
  const { name, contentBytes, growthBytes = 0, minBytes = 0, maxBytes } = definition;
  const content =
    requireSize(definition, 'content', contentBytes) + requireSize(definition, 'growth room', growthBytes);
  // repart.d(5), SizeMinBytes=: a least size is rounded up to a multiple of 4096, a largest one down.
  const least = alignUp(Math.max(content, requireSize(definition, 'least size', minBytes)), DEFAULT_GRAIN_BYTES);
  if (least < LEAST_PARTITION_BYTES) {
    throw new DiskError(
      'definition_invalid',
      `${name}: expected a size, as the partition has no content; say SizeMinBytes=`,
    );
  }
  if (maxBytes === undefined) return least;
  const most = alignDown(requireSize(definition, 'largest size', maxBytes), DEFAULT_GRAIN_BYTES);
  if (least > most) {
    throw new DiskError(
      'definition_invalid',
      `${name}: the partition needs ${least} octets, and its largest size is ${most}; raise it, or put less into it`,
    );
  }
  return least;
}

function requireSize({ name }: SizedDefinition, what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new DiskError('definition_invalid', `${name}: expected its ${what} in octets, found ${value}`);
}

/**
 * systemd's name of the type, with a number behind it where a partition has that label already. systemd 257,
 * src/repart/repart.c, partition_acquire_label.
 */
function defaultLabel(typeUuid: string, taken: Set<string>): string {
  const name = partitionTypeName(typeUuid) ?? typeUuid;
  let label = name;
  for (let n = 2; taken.has(label); n++) label = `${name}-${n}`;
  taken.add(label);
  return label;
}

/**
 * The table with the UUIDs of data and hash partitions that follow from their root hashes.
 * @param definitions of the partitions, in the order of the table.
 * @param rootHashes by match key.
 */
export function withRootHashes(
  table: GptTable,
  definitions: readonly PartitionDefinition[],
  rootHashes: ReadonlyMap<string, Uint8Array>,
): GptTable {
  const partitions = table.partitions.map((partition, i) => {
    const { verity, uuid } = definitions[i] ?? {};
    const rootHash = verity === undefined ? undefined : rootHashes.get(verity.matchKey);
    if (verity === undefined || rootHash === undefined || uuid !== undefined || verity.role === 'signature') {
      return partition;
    }
    return { ...partition, uuid: partitionUuidsFromRootHash(rootHash)[verity.role] };
  });
  return { ...table, partitions };
}
