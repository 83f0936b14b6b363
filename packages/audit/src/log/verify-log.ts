// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, utf8 } from '@vouchsafe/base';
import { encodeBase64 } from '@vouchsafe/pki';
import { AuditError } from '../error.ts';
import type { LogKey } from '../head/log-key.ts';
import { type VerifiedTreeHead, verifyTreeHead } from '../head/tree-head.ts';
import { GrowingTree } from '../merkle/frontier.ts';
import { RecordCheck, type RecordsReport } from '../records/record-check.ts';
import { type ExportLine, parseExportLine } from './export-line.ts';

export type AuditFindingCode =
  | 'audit_head_unsigned' // a head that the log's key has not signed
  | 'audit_altered' // entries that are not those that a signed head stands for
  | 'audit_removed' // a log that ends before a head that it has signed
  | 'audit_uncovered' // entries after the last signed head: nothing vouches for them yet
  | 'audit_unreached' // a head to compare with that is older than the part of the log given
  | 'audit_unsigned' // no signed head at all
  | 'audit_records_altered' // records, verdicts say, that are not those that an entry stands for
  | 'audit_records_removed'; // records that an entry stands for are gone, and no entry says that they were forgotten

/** What an exported log was found to be. */
export interface AuditReport {
  /** Entries that were read. */
  readonly entries: number;
  /** Of the whole log, with what lies before the export. */
  readonly size: number;
  /** The newest head that holds: keep it, and give it the next time. */
  readonly head: VerifiedTreeHead | undefined;
  /** Its text. */
  readonly note: string | undefined;
  /** Of the records that entries stand for. */
  readonly records: RecordsReport & {
    /** They were in the export, or should have been. */
    readonly areChecked: boolean;
  };
  /** Empty when nothing was altered or removed. */
  readonly findings: readonly Finding<AuditFindingCode>[];
}

export interface VerifyLogOptions {
  /** The log's key, from elsewhere than the log. */
  readonly key: LogKey;
  /** Heads that the auditor kept from earlier: what was in the log then must still be, unaltered. */
  readonly knownHeads?: readonly string[];
  /** The records that entries stand for must be there, whatever the export says of itself. */
  readonly wantsRecords?: boolean;
  /** Called with each entry, in order. */
  readonly onEntry?: (index: number, leaf: string) => void;
}

/**
 * Proves that nothing in an exported log was altered or removed since its heads were signed, and since those that the
 * auditor kept: each root is computed anew from the entries. An export may begin anywhere; what lies before it is then
 * represented by hashes, which a known head of that size or a later one holds to what they were. Records that entries stand
 * for are held against these.
 * @param lines of the export, in order; memory does not grow with them
 * @throws {AuditError} 'audit_export_malformed', 'audit_head_malformed'
 */
export async function verifyAuditLog(
  lines: AsyncIterable<string> | Iterable<string>,
  { key, knownHeads = [], wantsRecords = false, onEntry }: VerifyLogOptions,
): Promise<AuditReport> {
  const check = new LogCheck(key, knownHeads, wantsRecords);
  let entries = 0;
  for await (const text of lines) {
    if (text === '') continue;
    const line = parseExportLine(text);
    check.read(line);
    if (line.kind !== 'entry') continue;
    entries++;
    onEntry?.(line.index, line.leaf);
  }
  return { entries, ...check.end() };
}

/** A known or an exported head whose size the log has not reached yet. */
interface Expected {
  readonly head: VerifiedTreeHead;
  readonly note: string;
}

class LogCheck {
  readonly #key: LogKey;
  readonly #findings: Finding<AuditFindingCode>[] = [];
  readonly #expected: Expected[] = [];
  readonly #records: RecordCheck;
  #areRecordsChecked: boolean;
  #tree: GrowingTree | undefined;
  #best: Expected | undefined;

  constructor(key: LogKey, knownHeads: readonly string[], wantsRecords: boolean) {
    this.#key = key;
    this.#areRecordsChecked = wantsRecords;
    this.#records = new RecordCheck(({ code, index, expected, actual }) =>
      this.#add(code, `entry ${index}`, expected, actual),
    );
    for (const note of knownHeads) this.#expect(note, 'known head');
  }

  read(line: ExportLine): void {
    if (line.kind === 'start') {
      if (this.#tree !== undefined) throw malformed('one start');
      if (line.origin !== this.#key.name) throw malformed(`the log ${this.#key.name}, found ${line.origin}`);
      this.#tree = new GrowingTree(line.frontier);
      this.#areRecordsChecked ||= line.withRecords === true;
      this.#compare(this.#tree);
      return;
    }
    const tree = this.#tree;
    if (tree === undefined) throw malformed('a start first');
    if (line.kind === 'head') {
      this.#expect(line.note, 'head');
      this.#compare(tree);
      return;
    }
    if (line.kind === 'records') {
      this.#records.records(line.index, line.records);
      return;
    }
    if (line.index !== tree.size) throw malformed(`entry ${tree.size}, found ${line.index}`);
    this.#records.entry(line.index, line.leaf);
    tree.append(utf8(line.leaf));
    this.#compare(tree);
  }

  end(): Omit<AuditReport, 'entries'> {
    const size = this.#tree?.size ?? 0;
    for (const { head } of this.#expected) {
      const found = `${size} entries`;
      this.#add('audit_removed', `entry ${size}`, `${head.size} entries, as signed at ${timeOf(head)}`, found);
    }
    const best = this.#best;
    if (best === undefined) this.#add('audit_unsigned', 'log', 'a head signed by the log', 'none that holds');
    else if (best.head.size < size) {
      const found = `the last one at ${best.head.size}`;
      this.#add('audit_uncovered', `entry ${best.head.size}`, `a head over ${size} entries`, found);
    }
    const records = { ...this.#records.end(this.#areRecordsChecked), areChecked: this.#areRecordsChecked };
    return { size, head: best?.head, note: best?.note, records, findings: this.#findings };
  }

  #expect(note: string, artefact: string): void {
    const head = verifyTreeHead(note, this.#key);
    if (head === undefined) this.#add('audit_head_unsigned', artefact, `a signature by ${this.#key.name}`, 'none');
    else this.#expected.push({ head, note });
  }

  /** Takes every head of the tree's present size, and those that the export begins after. */
  #compare(tree: GrowingTree): void {
    if (!this.#expected.some(({ head }) => head.size <= tree.size)) return;
    for (const one of this.#expected.splice(0)) {
      const { head } = one;
      if (head.size > tree.size) {
        this.#expected.push(one);
      } else if (head.size < tree.size) {
        this.#add('audit_unreached', 'known head', `an export from entry ${head.size} or earlier`, `${tree.size}`);
      } else if (bytesEqual(head.root, tree.root())) {
        if (this.#best === undefined || head.size >= this.#best.head.size) this.#best = one;
      } else {
        const expected = `the root ${encodeBase64(head.root)} over ${head.size} entries, as signed at ${timeOf(head)}`;
        this.#add('audit_altered', `entries before ${head.size}`, expected, encodeBase64(tree.root()));
      }
    }
  }

  #add(code: AuditFindingCode, artefact: string, expected: string, actual: string): void {
    const severity = code === 'audit_uncovered' ? 'warning' : 'error';
    this.#findings.push({ code, severity, where: { artefact }, expected, actual, hint: HINTS[code] });
  }
}

const timeOf = ({ atMs }: VerifiedTreeHead): string => new Date(atMs).toISOString();

const malformed = (expected: string): AuditError =>
  new AuditError('audit_export_malformed', `exported log: expected ${expected}`);

const HINTS: Readonly<Record<AuditFindingCode, string>> = {
  audit_head_unsigned: "Compare the log's key with the one that the service shows; do not believe this head",
  audit_altered: 'An entry was changed, or taken out or put in, after that head was signed; find a copy from before',
  audit_removed: 'The end of the log was cut off, or the export is not whole; fetch it again, then find a copy',
  audit_uncovered: 'The log signs its next head within seconds; fetch it again to have these covered too',
  audit_unreached: 'Fetch the log from that entry on to compare it with this head',
  audit_unsigned: 'Fetch the log again, with its head; without one nothing is proved',
  audit_records_altered: 'A record was changed after it was committed, or what it said; find a copy from before',
  audit_records_removed:
    'Fetch the log again, as some may just have been forgotten in their time; else they were deleted by somebody',
};
