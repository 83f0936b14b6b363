// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { digest, digestSize } from '@vouchsafe/crypto';
import { ManifestError } from './error.ts';
import type { Bank, PredictedEvent } from './predicted-event.ts';

/**
 * The values that PCRs have after the events, in one bank; only PCRs that an event extends. TPM 2.0 Library, Part 1, section
 * 17.2: new value = H(old value || digest), from all zeros, which is what PCR 1 to 15 are after a reset, and PCR 0 after a
 * start from locality 0.
 * @throws {ManifestError} 'bank_unsupported' when an event was not predicted in that bank.
 */
export function replayPredicted(bank: Bank, events: readonly PredictedEvent[]): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (const event of events) {
    const extended = event.digests.get(bank);
    if (extended === undefined) {
      const message = `expected a digest in ${bank} of ${event.description} (PCR ${event.pcr}), found none; predict in that bank`;
      throw new ManifestError('bank_unsupported', message);
    }
    const old = values.get(event.pcr) ?? new Uint8Array(digestSize(bank));
    values.set(event.pcr, digest(bank, concatBytes(old, extended)));
  }
  return values;
}
