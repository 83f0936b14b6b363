// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import type { DigestAlgorithm } from './types.ts';

/** MGF1. RFC 8017, appendix B.2.1. `sizeBytes` is below 2,048, so the counter is too. */
export function mgf1(
  hash: DigestAlgorithm,
  seed: Uint8Array,
  sizeBytes: number,
  computeDigest: (algorithm: DigestAlgorithm, bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const input = concatBytes(seed, new Uint8Array(4));
  const counter = new DataView(input.buffer, seed.length);
  const mask = new Uint8Array(sizeBytes);
  for (let at = 0, i = 0; at < sizeBytes; i++) {
    counter.setUint32(0, i);
    const block = computeDigest(hash, input);
    mask.set(block.subarray(0, sizeBytes - at), at);
    at += block.length;
  }
  return mask;
}
