// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { Act } from '../act.ts';
import { drawRandom } from '../random.ts';

/** Octets of a leaf at most; what is too long is cut short in its detail, and says so. */
const MAX_LEAF_CHARS = 64 * 1024;
/** Digits of a time in milliseconds until the year 2286. */
const TIME_DIGITS = 13;

export interface AuditEntry {
  /** Grows with time; random at its end, so that no two are the same, and leaves cannot be guessed from their hashes. */
  readonly id: string;
  /** JSON: every line's end and control character is escaped, so that none can look like another entry. */
  readonly leaf: string;
}

/** Something that happened, as the audit log has it. */
export function auditEntryOf({ kind, actor, subject, detail }: Act, nowMs: number): AuditEntry {
  const id = `${String(nowMs).padStart(TIME_DIGITS, '0')}-${toHex(drawRandom(12))}`;
  const leaf = { id, at: new Date(nowMs).toISOString(), kind, actor, subject };
  const whole = JSON.stringify({ ...leaf, ...(detail === undefined ? {} : { detail }) });
  return { id, leaf: whole.length <= MAX_LEAF_CHARS ? whole : JSON.stringify({ ...leaf, detail: 'too long' }) };
}
