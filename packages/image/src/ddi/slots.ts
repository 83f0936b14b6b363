// SPDX-License-Identifier: Apache-2.0
import { type Designator, designatorOf, emptySlot } from '@vouchsafe/disk';
import type { DdiPartition } from './content.ts';

/** The partitions that systemd-sysupdate keeps two of. */
const DOUBLED: readonly Designator[] = [
  'root',
  'root-verity',
  'root-verity-sig',
  'usr',
  'usr-verity',
  'usr-verity-sig',
];

/**
 * The partitions with an empty slot for the next version beside each root and /usr partition and what goes with it. A disk
 * keeps the order of the first slots; the second ones follow the last of them.
 */
export function withEmptySlots(partitions: readonly DdiPartition[]): readonly DdiPartition[] {
  const isDoubled = ({ typeUuid }: DdiPartition): boolean => {
    const designator = designatorOf(typeUuid);
    return designator !== undefined && DOUBLED.includes(designator);
  };
  const last = partitions.findLastIndex(isDoubled);
  const slots = partitions.flatMap((partition, i): DdiPartition[] => {
    return isDoubled(partition)
      ? [{ ...emptySlot(partition, 0), slotOf: i, minBytes: undefined, maxBytes: undefined }]
      : [];
  });
  // Places before the first of the slots do not change, and slotOf counts them.
  return [...partitions.slice(0, last + 1), ...slots, ...partitions.slice(last + 1)];
}
