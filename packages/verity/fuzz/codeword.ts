// SPDX-License-Identifier: Apache-2.0
// Internal: the decoder of one codeword, which verity-fec calls for each.
import type { FuzzTarget } from '@vouchsafe/testing';
import { findErrors } from '../src/fec/reed-solomon.ts';

const CODEWORD_BYTES = 255;
const MAX_ROOTS = 24;

/** An octet that says how many roots, as many syndromes, then positions of erasures: any explanation is a possible one. */
export const target: FuzzTarget = {
  name: 'verity-codeword',
  seeds: () => [Uint8Array.of(2, 1, 1), Uint8Array.of(4, 5, 6, 7, 8, 1, 2), new Uint8Array(40).fill(7)],
  run(bytes) {
    const roots = 2 + ((bytes[0] ?? 0) % (MAX_ROOTS - 1));
    const syndromes = new Uint8Array(roots);
    syndromes.set(bytes.subarray(1, 1 + roots));
    const erasures = [...new Set(bytes.subarray(1 + roots))].filter((position) => position < CODEWORD_BYTES - roots);
    const pattern = findErrors(syndromes, erasures);
    if (pattern === undefined) return;
    const { positions, values } = pattern;
    if (positions.length !== values.length || positions.length > roots) throw new Error('more errors than roots');
    if (new Set(positions).size !== positions.length) throw new Error('a position twice');
    if (positions.some((position) => !(position >= 0 && position < CODEWORD_BYTES))) throw new Error('outside');
  },
};
