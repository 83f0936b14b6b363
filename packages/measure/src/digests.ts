// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import type { Bank } from '@vouchsafe/manifest';
import { DigestSink } from './digest-sink.ts';

/** Digests of octets in every bank that is asked for. */
export function digestsOf(banks: readonly Bank[], octets: Uint8Array): Map<Bank, Uint8Array> {
  return new Map(banks.map((bank) => [bank, digest(bank, octets)]));
}

/** The same of a source, which is read once, piece by piece. */
export function digestsOfSource(banks: readonly Bank[], source: ByteSource): Map<Bank, Uint8Array> {
  const sink = new DigestSink(banks);
  sink.copy(source);
  return sink.digests();
}
