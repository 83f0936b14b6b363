// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { hmac } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import { encodeBase64, parseBase64 } from '@vouchsafe/pki';

const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

/** A webhook's key, as its receiver is given it once. Standard Webhooks, Symmetric. */
export const newWebhookSecret = (): string => PREFIX + encodeBase64(randomBytes(SECRET_BYTES));

/**
 * The headers that a receiver checks: HMAC-SHA-256 over id, time and body, so that a message is neither changed nor replayed
 * later. Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks.
 * @param id of the event: the same at every attempt
 */
export function signWebhook(secret: string, id: string, nowMs: number, body: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const key = parseBase64(secret.slice(PREFIX.length));
  const mac = hmac('sha256', key, utf8(`${id}.${timestamp}.${body}`));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${encodeBase64(mac)}` };
}
