// SPDX-License-Identifier: Apache-2.0
import { encodeAttributes, type PartitionAttribute } from '../gpt/attributes.ts';
import { partitionTypeName } from '../gpt/partition-types.ts';

/** What a partition has to do with dm-verity. Those with the same key belong together. */
export interface VerityMember {
  readonly role: 'data' | 'hash' | 'signature';
  readonly matchKey: string;
}

/** A partition that an image is to have; repart.d(5) says most of this in files. */
export interface PartitionDefinition {
  /** What messages call it: the name of a definition file. */
  readonly name: string;
  readonly typeUuid: string;
  /** By the type, with -2, -3 and so on behind that of the second and the third of a type, unless given. */
  readonly label?: string | undefined;
  /** Derived from the seed, or from the root hash, unless given. */
  readonly uuid?: string | undefined;
  /** Least and largest size of the partition. */
  readonly minBytes?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Room behind the content, for a later version of it. */
  readonly growthBytes?: number | undefined;
  /** Free octets of the disk behind the partition. */
  readonly paddingBytes?: number | undefined;
  /** By the type and by verity, as systemd-repart has it, unless given. */
  readonly attributes?: bigint | undefined;
  readonly verity?: VerityMember | undefined;
}

/** The label of a slot that holds nothing yet. sysupdate.d(5), "MatchPartitionType=". */
export const EMPTY_SLOT_LABEL = '_empty';

/**
 * The slot beside a slot: of the same type, size and attributes, and empty, so that systemd-sysupdate takes it for the next
 * version. Its siblings' slots are made the same way, one by one.
 * @param sizeBytes of the first slot, as it was laid out.
 */
export function emptySlot(definition: PartitionDefinition, sizeBytes: number): PartitionDefinition {
  return {
    name: `${definition.name} (empty slot)`,
    typeUuid: definition.typeUuid,
    label: EMPTY_SLOT_LABEL,
    minBytes: sizeBytes,
    maxBytes: sizeBytes,
    attributes: definition.attributes ?? defaultAttributes(definition),
  };
}

/** Types that a file system grows in. systemd 257, src/shared/gpt.c, gpt_partition_type_knows_growfs. */
const GROWING = /^(root|usr)-(?!.*-verity)|^(home|srv|var|tmp|xbootldr)$/;

/**
 * Read-only for what verity is about, though not for the signature, and growing for the others that can: what systemd-repart
 * writes where a definition says nothing. systemd 257, src/repart/repart.c, partition_read_definition.
 */
export function defaultAttributes({ typeUuid, verity }: PartitionDefinition): bigint {
  const type = partitionTypeName(typeUuid) ?? '';
  const names: PartitionAttribute[] = [];
  if (verity?.role === 'data' || /-verity$/.test(type)) names.push('readOnly');
  else if (GROWING.test(type)) names.push('growFileSystem');
  return encodeAttributes(names);
}
