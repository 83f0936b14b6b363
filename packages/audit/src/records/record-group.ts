// SPDX-License-Identifier: Apache-2.0
import { encodeBase64, PkiError, parseBase64 } from '@vouchsafe/pki';
import { AuditError } from '../error.ts';
import { HASH_BYTES } from '../merkle/hash.ts';
import { inclusionProof } from '../merkle/proof.ts';
import { rootOfHashes } from '../merkle/root-of-hashes.ts';

/**
 * Records that are kept beside the log, and that one entry of it stands for: too many to be entries of their own. The entry
 * has the root of the Merkle tree that they are the leaves of (RFC 6962, 2.1), so that none can be altered or removed unseen.
 */
export interface RecordGroup {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Records of a group at most. */
export const MAX_GROUP_RECORDS = 4096;

/** What an entry says of records, in its `detail`. */
export interface RecordsDetail {
  /** It stands for these. The root in base64. */
  readonly records?: { readonly size: number; readonly root: string };
  /** Records of before this time were forgotten, as was settled: their absence proves nothing. */
  readonly forgottenBeforeMs?: number;
}

/** For the detail of an entry. @param hashes of the records, each by `hashLeaf`. */
export const recordsDetail = (hashes: readonly Uint8Array[]): Required<Pick<RecordsDetail, 'records'>> => ({
  records: { size: hashes.length, root: encodeBase64(rootOfHashes(hashes)) },
});

/** That one of the records is in its group. @throws {AuditError} 'audit_argument' */
export const proveRecord = (hashes: readonly Uint8Array[], index: number): Promise<Uint8Array[]> =>
  inclusionProof(
    async (level, at) => rootOfHashes(hashes, at * 2 ** level, (at + 1) * 2 ** level),
    index,
    hashes.length,
  );

/** What an entry's text says of records. */
export interface SaidOfRecords {
  /** When the entry was written. */
  readonly atMs: number;
  readonly group: RecordGroup | undefined;
  readonly forgottenBeforeMs: number | undefined;
}

/** Undefined for an entry that says nothing of records. @throws {AuditError} 'audit_export_malformed' */
export function saidOfRecords(leaf: string): SaidOfRecords | undefined {
  // Most entries are of something else, and need not be parsed.
  if (!leaf.includes('"records":{') && !leaf.includes('"forgottenBeforeMs":')) return undefined;
  const { at, detail } = membersOf(parseJson(leaf));
  const { records, forgottenBeforeMs } = membersOf(detail);
  if (records === undefined && forgottenBeforeMs === undefined) return undefined;
  const atMs = typeof at === 'string' ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(atMs)) throw malformed('a time');
  if (forgottenBeforeMs !== undefined && !Number.isSafeInteger(forgottenBeforeMs)) throw malformed('a time in ms');
  return {
    atMs,
    group: records === undefined ? undefined : groupOf(membersOf(records)),
    forgottenBeforeMs: forgottenBeforeMs as number | undefined,
  };
}

function groupOf({ size, root }: Readonly<Record<string, unknown>>): RecordGroup {
  const hash = typeof root === 'string' ? decoded(root) : undefined;
  if (!Number.isSafeInteger(size) || (size as number) < 1 || (size as number) > MAX_GROUP_RECORDS) {
    throw malformed(`1 to ${MAX_GROUP_RECORDS} records`);
  }
  if (hash?.length !== HASH_BYTES) throw malformed('the root of its records');
  return { size: size as number, root: hash };
}

function decoded(text: string): Uint8Array | undefined {
  try {
    return parseBase64(text);
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const malformed = (expected: string): AuditError =>
  new AuditError('audit_export_malformed', `entry that stands for records: expected ${expected}`);
