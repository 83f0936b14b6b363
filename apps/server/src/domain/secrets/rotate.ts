// SPDX-License-Identifier: Apache-2.0
import type { Store } from '../../store/open-store.ts';
import type { EnvelopeRow } from '../../store/rows/service-keys.ts';
import type { Envelope, KeyRing } from './key-ring.ts';
import { sealedNames } from './sealed-names.ts';

/** Secrets that one transaction wraps anew. */
const BATCH = 200;

/** An envelope as columns have it. */
export function envelopeRow({ keyId, wrappedKey, box }: Envelope): EnvelopeRow {
  return { key_id: keyId, wrapped_key: wrappedKey, box };
}

/** An envelope out of columns. */
export function envelopeOf({ key_id, wrapped_key, box }: EnvelopeRow): Envelope {
  return { keyId: key_id, wrappedKey: Uint8Array.from(wrapped_key), box: Uint8Array.from(box) };
}

/**
 * Brings everything under the key that is in use now, so that older ones can be taken out of the key file. Contents are not
 * decrypted. It may be interrupted, and run twice at once.
 * @returns how many envelopes were wrapped anew
 * @throws {ServerError} 'secret_key_wrong' for one whose key is not in the ring
 */
export async function rewrapAll(store: Store, ring: KeyRing): Promise<number> {
  const { currentId } = ring;
  const again = (row: EnvelopeRow, name: string): EnvelopeRow => envelopeRow(ring.rewrap(envelopeOf(row), name));
  let count = await store.write(async (tx) => {
    const keys = await tx.serviceKeys.sealedOtherwise(currentId);
    for (const row of keys) await tx.serviceKeys.reseal(row.name, again(row, sealedNames.serviceKey(row.name)));
    const webhooks = await tx.webhooks.sealedOtherwise(currentId);
    for (const row of webhooks) await tx.webhooks.update(row, again(row, sealedNames.webhook(row.id)));
    return keys.length + webhooks.length;
  });
  for (;;) {
    const done = await store.write(async (tx) => {
      const rows = await tx.secrets.sealedOtherwise(currentId, BATCH);
      for (const row of rows) {
        const { name, version } = row;
        await tx.secrets.reseal(name, version, again(row, sealedNames.secret(name, version)));
      }
      return rows.length;
    });
    count += done;
    if (done < BATCH) return count;
  }
}
