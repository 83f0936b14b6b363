// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, utf8 } from '@vouchsafe/base';
import { AuditError } from '../error.ts';
import { hashLeaf } from '../merkle/hash.ts';
import { rootOfHashes } from '../merkle/root-of-hashes.ts';
import { type RecordGroup, saidOfRecords } from './record-group.ts';

/** A record as an export has it: its very text, or its hash alone where it is not kept any more. */
export type ExportedRecord = { readonly leaf: string } | { readonly hash: Uint8Array };

/** What was found of the records that entries stand for. */
export interface RecordsReport {
  /** That the entries stand for. */
  readonly committed: number;
  /** Of these, whose text was there and is the one that was committed. */
  readonly held: number;
  /** All before this time may have been forgotten, as the log itself says. */
  readonly forgottenBeforeMs: number | undefined;
}

/** A group that does not hold. */
export interface RecordFault {
  readonly code: 'audit_records_altered' | 'audit_records_removed';
  /** Of the entry. */
  readonly index: number;
  readonly expected: string;
  readonly actual: string;
}

interface Pending extends RecordGroup {
  readonly index: number;
  readonly atMs: number;
}

/**
 * Holds records against the entries that stand for them, one group at a time. Records that are not there must have been
 * forgotten by an entry of the same log, and be older than it says; memory does not grow with the log.
 */
export class RecordCheck {
  readonly #found: (fault: RecordFault) => void;
  #pending: Pending | undefined;
  #committed = 0;
  #held = 0;
  #forgottenBeforeMs: number | undefined;
  /** The youngest that are missing: if these may be, all may. */
  #missing: (Pending & { readonly count: number }) | undefined;

  constructor(found: (fault: RecordFault) => void) {
    this.#found = found;
  }

  /** @throws {AuditError} 'audit_export_malformed' */
  entry(index: number, leaf: string): void {
    this.#leave();
    const said = saidOfRecords(leaf);
    if (said?.forgottenBeforeMs !== undefined) {
      this.#forgottenBeforeMs = Math.max(this.#forgottenBeforeMs ?? 0, said.forgottenBeforeMs);
    }
    if (said?.group === undefined) return;
    this.#committed += said.group.size;
    this.#pending = { ...said.group, index, atMs: said.atMs };
  }

  /** Those of the entry that was read last. @throws {AuditError} 'audit_export_malformed' */
  records(index: number, records: readonly ExportedRecord[]): void {
    const pending = this.#pending;
    if (pending?.index !== index) {
      throw new AuditError('audit_export_malformed', `exported log: expected records of the entry before them`);
    }
    this.#pending = undefined;
    const hashes = records.map((one) => ('leaf' in one ? hashLeaf(utf8(one.leaf)) : one.hash));
    if (hashes.length !== pending.size || !bytesEqual(rootOfHashes(hashes), pending.root)) {
      const expected = `${pending.size} records, as the entry has them`;
      this.#found({ code: 'audit_records_altered', index, expected, actual: `${records.length} others` });
      return;
    }
    const held = records.filter((one) => 'leaf' in one).length;
    this.#held += held;
    if (held < pending.size) this.#miss(pending, pending.size - held);
  }

  /** @param areWanted whether records that are not in the export are missing. */
  end(areWanted: boolean): RecordsReport {
    this.#leave();
    const missing = this.#missing;
    if (areWanted && missing !== undefined && missing.atMs >= (this.#forgottenBeforeMs ?? 0)) {
      this.#found({
        code: 'audit_records_removed',
        index: missing.index,
        expected: `${missing.size} records of ${new Date(missing.atMs).toISOString()}`,
        actual: `${missing.count} of them missing`,
      });
    }
    return { committed: this.#committed, held: this.#held, forgottenBeforeMs: this.#forgottenBeforeMs };
  }

  #leave(): void {
    if (this.#pending !== undefined) this.#miss(this.#pending, this.#pending.size);
    this.#pending = undefined;
  }

  #miss(group: Pending, count: number): void {
    if (this.#missing === undefined || group.atMs > this.#missing.atMs) this.#missing = { ...group, count };
  }
}
