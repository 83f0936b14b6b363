// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, PkiError, parseBase64 } from '@vouchsafe/pki';
import { AuditError } from '../error.ts';
import type { Frontier } from '../merkle/frontier.ts';
import type { ExportedRecord } from '../records/record-check.ts';
import { MAX_GROUP_RECORDS } from '../records/record-group.ts';

/** Characters of one line at most. */
const MAX_EXPORT_LINE_CHARS = 256 * 1024;

/**
 * One line of an exported log, which is JSON lines: first how the tree stood where the export begins, then entries, and heads
 * wherever the log has signed one, the newest last.
 */
export type ExportLine =
  | {
      readonly kind: 'start';
      readonly origin: string;
      readonly frontier: Frontier;
      /** Each entry that stands for records is followed by them. */
      readonly withRecords?: boolean;
    }
  /** The leaf is the very text that was hashed. */
  | { readonly kind: 'entry'; readonly index: number; readonly leaf: string }
  /** What the entry of that index, just before, stands for. */
  | { readonly kind: 'records'; readonly index: number; readonly records: readonly ExportedRecord[] }
  | { readonly kind: 'head'; readonly note: string };

/** One line, without its end. */
export function formatExportLine(line: ExportLine): string {
  if (line.kind === 'records') {
    const records = line.records.map((one) => ('leaf' in one ? one : { hash: encodeBase64(one.hash) }));
    return JSON.stringify({ ...line, records });
  }
  if (line.kind !== 'start') return JSON.stringify(line);
  const { origin, frontier, withRecords } = line;
  const { size, nodes } = frontier;
  return JSON.stringify({ kind: 'start', origin, size, nodes: nodes.map(encodeBase64), withRecords });
}

/** @throws {AuditError} 'audit_export_malformed' */
export function parseExportLine(text: string): ExportLine {
  if (text.length > MAX_EXPORT_LINE_CHARS) throw malformed(`at most ${MAX_EXPORT_LINE_CHARS} characters`);
  const value = parseObject(text);
  const { kind, origin, size, nodes, index, leaf, note, records, withRecords } = value;
  if (kind === 'entry' && isCount(index) && typeof leaf === 'string') return { kind, index, leaf };
  if (kind === 'head' && typeof note === 'string') return { kind, note };
  if (kind === 'start' && typeof origin === 'string' && isCount(size) && isTexts(nodes)) {
    const frontier = { size, nodes: nodes.map(decoded) };
    return { kind, origin, frontier, ...(withRecords === true ? { withRecords } : {}) };
  }
  if (kind === 'records' && isCount(index) && Array.isArray(records) && records.length <= MAX_GROUP_RECORDS) {
    return { kind, index, records: records.map(exportedRecord) };
  }
  throw malformed('a start, an entry, its records or a head');
}

function exportedRecord(value: unknown): ExportedRecord {
  const { leaf, hash } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof leaf === 'string' && hash === undefined) return { leaf };
  if (typeof hash === 'string' && leaf === undefined) return { hash: decoded(hash) };
  throw malformed('the text of a record, or its hash');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw malformed('JSON', cause);
  }
  throw malformed('an object');
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= 64 && value.every((one) => typeof one === 'string');

function decoded(text: string): Uint8Array {
  try {
    return parseBase64(text);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw malformed('hashes in base64', cause);
  }
}

const malformed = (expected: string, cause?: unknown): AuditError =>
  new AuditError('audit_export_malformed', `line of an exported log: expected ${expected}`, { cause });
