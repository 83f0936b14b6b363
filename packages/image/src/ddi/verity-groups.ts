// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '@vouchsafe/disk';
import { saltFromSeed, treeLayout, type VerityParameters } from '@vouchsafe/verity';
import type { DdiPartition } from './content.ts';

/** Partitions of one match key, by their place among the definitions. */
export interface VerityGroup {
  readonly matchKey: string;
  readonly data: number;
  readonly hash: number;
  readonly signature: number | undefined;
}

const BLOCK_BYTES = 4096;

/** What the tree over so much data is made with: systemd-repart's choice. systemd 257, src/repart/repart.c. */
export function verityParameters(dataBytes: number, seed: Uint8Array): VerityParameters {
  return {
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: BLOCK_BYTES,
    hashBlockSize: BLOCK_BYTES,
    dataBlocks: Math.max(1, Math.ceil(dataBytes / BLOCK_BYTES)),
    salt: saltFromSeed(seed),
  };
}

/** Octets of superblock and tree over so much data. */
export function hashTreeBytes(dataBytes: number, seed: Uint8Array): number {
  return treeLayout(verityParameters(dataBytes, seed), { offset: 0, hasSuperblock: true }).end;
}

/**
 * Which partitions belong together.
 * @throws {DiskError} 'definition_invalid' for a hash or signature without data, data without a hash, or two of a kind.
 */
export function verityGroups(partitions: readonly DdiPartition[]): readonly VerityGroup[] {
  const places = new Map<string, { data?: number; hash?: number; signature?: number }>();
  for (const [i, { verity, name }] of partitions.entries()) {
    if (verity === undefined) continue;
    const group = places.get(verity.matchKey) ?? {};
    places.set(verity.matchKey, group);
    if (group[verity.role] !== undefined) {
      throw invalid(
        name,
        `expected one partition with Verity=${verity.role} and key ${verity.matchKey}, found a second`,
      );
    }
    group[verity.role] = i;
  }
  return [...places].map(([matchKey, { data, hash, signature }]) => {
    if (data === undefined || hash === undefined) {
      throw invalid(`VerityMatchKey=${matchKey}`, 'expected a partition with Verity=data and one with Verity=hash');
    }
    const { content, name } = partitions[data] as DdiPartition;
    if (content === undefined) throw invalid(name, 'expected a content, as its hash tree covers it');
    return { matchKey, data, hash, signature };
  });
}

export function invalid(name: string, problem: string): DiskError {
  return new DiskError('definition_invalid', `${name}: ${problem}`);
}
