// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { FuzzTarget } from '@vouchsafe/testing';
import { decodeSuperblock, encodeSuperblock, SUPERBLOCK_BYTES } from '@vouchsafe/verity';
import { tableRows, treeTestdata } from '../test/tree-support.ts';

/** Bytes as a superblock: what is taken is written back as it was, but for the case of the digest's name. */
export const target: FuzzTarget = {
  name: 'verity-superblock',
  seeds: () =>
    tableRows('tree/trees.tsv')
      .filter(({ args }) => !/no-superblock|hash-offset/.test(args as string))
      .map(({ name }) => treeTestdata(`tree/${name}.hash`).slice(0, SUPERBLOCK_BYTES)),
  run(bytes) {
    const again = encodeSuperblock(decodeSuperblock(bytes));
    const lower = bytes.slice();
    for (let i = 32; i < 64; i++) if (lower[i]! >= 0x41 && lower[i]! <= 0x5a) lower[i]! |= 0x20;
    const isAlias = lower[32] === 0x72 && lower[33] === 0x6d;
    if (!isAlias && !bytesEqual(again, lower)) throw new Error('it would be written otherwise');
  },
};
