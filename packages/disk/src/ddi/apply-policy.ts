// SPDX-License-Identifier: Apache-2.0
import { partitionTypeName } from '../gpt/partition-types.ts';
import type { GptTable } from '../gpt/table.ts';
import { EMPTY_SLOT_LABEL } from './definition.ts';
import {
  allowedUses,
  DESIGNATORS,
  type Designator,
  dataOf,
  type ImagePolicy,
  type PartitionUse,
} from './image-policy.ts';

/** What a policy makes of one kind of partition of a disk. */
export interface PolicyOutcome {
  readonly designator: Designator;
  readonly isPresent: boolean;
  /** What it could be used as, by what is on the disk. */
  readonly possible: readonly PartitionUse[];
  readonly allowed: readonly PartitionUse[];
  /** The strongest use that is both; undefined where the disk is refused for it. */
  readonly use: PartitionUse | undefined;
}

/** From the strongest on; what is taken where several are allowed. */
const STRENGTH: readonly PartitionUse[] = ['signed', 'verity', 'encrypted', 'unprotected', 'unused', 'absent'];

/**
 * What a policy makes of a disk, by its partition table alone: the kinds of partitions that are on it or that the policy
 * asks for. Whether a root hash or a signature is good is another question.
 * @param isEncrypted whether the content of a partition, by its index, is a LUKS volume.
 */
export function applyImagePolicy(
  policy: ImagePolicy,
  table: GptTable,
  isEncrypted: (index: number) => boolean,
): readonly PolicyOutcome[] {
  const found = new Map<Designator, number>();
  for (const { typeUuid, label, index } of table.partitions) {
    const designator = designatorOf(typeUuid);
    if (designator !== undefined && label !== EMPTY_SLOT_LABEL && !found.has(designator)) found.set(designator, index);
  }
  return DESIGNATORS.flatMap((designator) => {
    const index = found.get(designator);
    const allowed = STRENGTH.filter((use) => allowedUses(policy, designator).has(use));
    const possible = possibleUses(designator, found, index !== undefined && isEncrypted(index));
    const use = allowed.find((candidate) => possible.includes(candidate));
    const isPresent = index !== undefined;
    return !isPresent && use === 'absent' ? [] : [{ designator, isPresent, possible, allowed, use }];
  });
}

/** The kind of a partition type, whatever its architecture; undefined for types that policies do not know. */
export function designatorOf(typeUuid: string): Designator | undefined {
  const name = partitionTypeName(typeUuid) ?? '';
  const match = /^(root|usr)-.*?(-verity)?(-sig)?$/.exec(name);
  const plain = match === null ? name : `${match[1]}${match[2] ?? ''}${match[3] ?? ''}`;
  return DESIGNATORS.find((designator) => designator === plain);
}

function possibleUses(
  designator: Designator,
  found: ReadonlyMap<Designator, number>,
  isEncrypted: boolean,
): readonly PartitionUse[] {
  if (!found.has(designator)) return ['absent'];
  if (isEncrypted) return ['encrypted', 'unused'];
  const hasVerity = dataOf(designator) === undefined && found.has(`${designator}-verity` as Designator);
  const hasSignature = hasVerity && found.has(`${designator}-verity-sig` as Designator);
  return [
    ...(hasSignature ? (['signed'] as const) : []),
    ...(hasVerity ? (['verity'] as const) : []),
    'unprotected',
    'unused',
  ];
}
