// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { digest, startDigest } from '@vouchsafe/crypto';
import type { Bank } from '@vouchsafe/manifest';

const CHUNK_BYTES = 1024 * 1024;

/** Digests of octets in every bank that is asked for. */
export function digestsOf(banks: readonly Bank[], octets: Uint8Array): Map<Bank, Uint8Array> {
  return new Map(banks.map((bank) => [bank, digest(bank, octets)]));
}

/** The same of a source, which is read once, piece by piece. */
export function digestsOfSource(banks: readonly Bank[], source: ByteSource): Map<Bank, Uint8Array> {
  const running = banks.map((bank) => [bank, startDigest(bank)] as const);
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.size));
  for (let at = 0; at < source.size; at += chunk.length) {
    const part = chunk.subarray(0, Math.min(chunk.length, source.size - at));
    source.read(at, part);
    for (const [, hash] of running) hash.update(part);
  }
  return new Map(running.map(([bank, hash]) => [bank, hash.digest()]));
}
