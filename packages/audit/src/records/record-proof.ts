// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import type { LogKey } from '../head/log-key.ts';
import { type VerifiedTreeHead, verifyTreeHead } from '../head/tree-head.ts';
import { hashLeaf } from '../merkle/hash.ts';
import { isIncluded } from '../merkle/proof.ts';
import { saidOfRecords } from './record-group.ts';

/** All that shows that a record was committed: its way up to its entry, the entry's way up to a signed head. */
export interface RecordProof {
  /** Its very text. */
  readonly record: string;
  /** Its place in its group. */
  readonly index: number;
  /** Beside its way to the group's root, as RFC 6962, 2.1.1, orders them. */
  readonly hashes: readonly Uint8Array[];
  readonly entry: {
    readonly leaf: string;
    readonly index: number;
    /** Beside its way to the head's root. */
    readonly hashes: readonly Uint8Array[];
  };
  /** The signed head. */
  readonly note: string;
}

/** How far a proof holds. */
export type RecordProofOutcome =
  | { readonly holds: true; readonly head: VerifiedTreeHead; readonly groupSize: number }
  | { readonly holds: false; readonly fault: 'head_unsigned' | 'entry_not_in_log' | 'record_not_in_entry' };

/**
 * Whether a record is what an entry of the log stood for when the head was signed.
 * @throws {AuditError} 'audit_head_malformed', 'audit_export_malformed'
 */
export function checkRecordProof({ record, index, hashes, entry, note }: RecordProof, key: LogKey): RecordProofOutcome {
  const head = verifyTreeHead(note, key);
  if (head === undefined) return { holds: false, fault: 'head_unsigned' };
  if (!isIncluded(hashLeaf(utf8(entry.leaf)), entry.index, head.size, entry.hashes, head.root)) {
    return { holds: false, fault: 'entry_not_in_log' };
  }
  const group = saidOfRecords(entry.leaf)?.group;
  if (group === undefined || !isIncluded(hashLeaf(utf8(record)), index, group.size, hashes, group.root)) {
    return { holds: false, fault: 'record_not_in_entry' };
  }
  return { holds: true, head, groupSize: group.size };
}
