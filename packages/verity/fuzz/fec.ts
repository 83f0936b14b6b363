// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import type { FuzzTarget } from '@vouchsafe/testing';
import { correctBlocks, type FecGeometry, type FecParameters, fecGeometry } from '@vouchsafe/verity';
import { storedSamples } from '../test/fec-support.ts';

const HEAD_BYTES = 4;
const BLOCK_BYTES = 512;
/** Octets of each block that are looked at: each is a codeword of its own, so that few tell as much as all. */
const PART_BYTES = 16;

/** The layout of blocks of which only the first octets are there. */
function partGeometry(parameters: Omit<FecParameters, 'blockSize'>): FecGeometry {
  const whole = fecGeometry({ ...parameters, blockSize: BLOCK_BYTES });
  const codewords = whole.rounds * PART_BYTES;
  const sizes = { inputSizeBytes: whole.inputBlocks * PART_BYTES, paritySizeBytes: codewords * whole.roots };
  return { ...whole, ...sizes, blockSize: PART_BYTES, codewords };
}

function partOfBlocks(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) parts.push(bytes.subarray(at, at + PART_BYTES));
  return concatBytes(...parts);
}

/** Four octets (roots, data blocks, hash blocks, erasures), then parts of data and tree blocks, and their parity. */
export const target: FuzzTarget = {
  name: 'verity-fec',
  seeds: () =>
    // Of one round, as the parity of others does not begin with that of the parts.
    storedSamples()
      .slice(0, 2)
      .map(({ geometry: { roots, dataBlocks, hashBlocks }, data, hash, treeOffsetBytes, parity }) =>
        concatBytes(
          Uint8Array.of(roots, dataBlocks, hashBlocks, 1),
          partOfBlocks(data),
          partOfBlocks(hash.subarray(treeOffsetBytes)),
          parity.subarray(0, PART_BYTES * roots),
        ),
      ),
  run(bytes) {
    const [roots = 0, dataBlocks = 0, hashBlocks = 0, erasures = 0] = bytes;
    const geometry = partGeometry({ roots, dataBlocks, hashBlocks });
    const source = memorySource(bytes.subarray(HEAD_BYTES));
    const hashAt = dataBlocks * PART_BYTES;
    const sources = {
      data: { source, offsetBytes: 0 },
      hash: { source, offsetBytes: hashAt },
      parity: { source, offsetBytes: geometry.inputSizeBytes },
    };
    const wanted = [...Array(geometry.inputBlocks).keys()];
    const request = { wanted, erasures: wanted.slice(0, erasures), isGood: (block: number) => block % 5 === 4 };
    const seen = new Set<number>();
    for (const candidate of correctBlocks(geometry, sources, request)) {
      const at = candidate.block * PART_BYTES;
      const isAsRead =
        source.size >= at + PART_BYTES && candidate.bytes.every((byte, i) => byte === bytes[HEAD_BYTES + at + i]);
      if (candidate.bytes.length !== PART_BYTES) throw new Error('a candidate is not a block');
      if (isAsRead !== (candidate.changedBytes === 0)) throw new Error('changed bytes are not counted');
      if (candidate.block % 5 === 4 && !isAsRead) throw new Error('a good block was changed');
      seen.add(candidate.block);
    }
    if (seen.size !== wanted.length) throw new Error(`${seen.size} candidates for ${wanted.length} blocks`);
  },
};
