// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import type { Store } from '../../store/open-store.ts';
import type { AuditEntryRow } from '../../store/rows/audit.ts';
import type { WebhookRow } from '../../store/rows/webhooks.ts';
import type { KeyRing } from '../secrets/key-ring.ts';
import { envelopeOf } from '../secrets/rotate.ts';
import { sealedNames } from '../secrets/sealed-names.ts';
import { isWanted, kindOfLeaf } from './event-filter.ts';
import { postWebhook } from './post-webhook.ts';
import type { AllowedAddresses } from './safe-address.ts';
import { signWebhook } from './webhook-signature.ts';

/** Entries that are looked at in one turn of a webhook, and those that it is told of: most may be of no interest to it. */
const MAX_LOOKED_AT = 10_000;
const MAX_TOLD = 100;
/** Entries that are in memory at a time. */
const PAGE = 200;
/** While one instance has a webhook's turn, the others leave it. */
const TURN_MS = 60_000;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 3_600_000;
const MAX_ERROR_CHARS = 500;

export interface WebhookDelivery {
  readonly store: Store;
  readonly ring: KeyRing;
  readonly allowed: AllowedAddresses;
  readonly allowHttp: boolean;
  readonly now: () => number;
}

/**
 * Tells each webhook whose turn it is of what has happened since, in order, each event at least once. A webhook that does not
 * answer with 2xx is tried again later with growing pauses, from that event on, however long it takes.
 * @param size of the audit log
 */
export async function deliverWebhooks(delivery: WebhookDelivery, size: number): Promise<void> {
  const due = await delivery.store.read.webhooks.due(delivery.now(), size);
  await Promise.all(due.map((row) => takeTurn(delivery, row, size)));
}

async function takeTurn(delivery: WebhookDelivery, row: WebhookRow, size: number): Promise<void> {
  const { store, now } = delivery;
  const held = { ...row, next_at_ms: now() + TURN_MS };
  if (!(await store.write((tx) => tx.webhooks.update(row, { next_at_ms: held.next_at_ms })))) return;
  const result = await deliverPage(delivery, row, size);
  const isGood = result.error === undefined;
  const failures = isGood ? 0 : row.failures + 1;
  await store.write((tx) =>
    tx.webhooks.update(held, {
      next_place: result.next,
      failures,
      next_at_ms: isGood ? now() : now() + retryAfterMs(failures),
      last_error: result.error ?? null,
    }),
  );
}

/** Twice as long after each failure. */
const retryAfterMs = (failures: number): number =>
  Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 30));

async function deliverPage(
  { store, ring, allowed, allowHttp, now }: WebhookDelivery,
  row: WebhookRow,
  size: number,
): Promise<{ readonly next: number; readonly error?: string }> {
  const wanted = JSON.parse(row.kinds) as string[];
  const secret = parseUtf8(ring.open(envelopeOf(row), sealedNames.webhook(row.id)));
  const to = Math.min(row.next_place + MAX_LOOKED_AT, size);
  let told = 0;
  for await (const { place, leaf } of entriesOf(store, row.next_place, to)) {
    const kind = kindOfLeaf(leaf);
    if (!isWanted(kind, wanted)) continue;
    if (told++ === MAX_TOLD) return { next: place };
    const event = JSON.parse(leaf) as { readonly id: string; readonly at: string };
    // Standard Webhooks, Payload structure.
    const body = JSON.stringify({ type: kind, timestamp: event.at, data: { place, ...event } });
    try {
      const status = await postWebhook(
        { url: row.url, allowed, allowHttp },
        signWebhook(secret, event.id, now(), body),
        body,
      );
      if (status < 200 || status > 299) return { next: place, error: `expected the status 2xx, found ${status}` };
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      return { next: place, error: message.slice(0, MAX_ERROR_CHARS) };
    }
  }
  return { next: to };
}

async function* entriesOf(store: Store, from: number, to: number): AsyncGenerator<AuditEntryRow> {
  for (let at = from; at < to; at += PAGE) yield* await store.read.audit.entries(at, Math.min(at + PAGE, to));
}
