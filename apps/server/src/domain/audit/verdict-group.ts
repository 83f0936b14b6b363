// SPDX-License-Identifier: Apache-2.0
import { hashLeaf, recordsDetail } from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';
import { type AuditEntry, auditEntryOf } from './entry.ts';

/** The kind of the entry that stands for verdicts, and of that which tells that old ones were forgotten. */
export const VERDICTS_COMMIT = 'verdicts.commit';
export const VERDICTS_FORGET = 'verdicts.forget';

/** A verdict as the audit log vouches for it. */
export interface CommittedVerdict {
  readonly deviceId: string;
  readonly atMs: number;
  readonly status: string;
  readonly isTrusted: boolean;
  /** Of what it said: image, reasons, references, policy. */
  readonly detail: { readonly sha256: string };
}

/** A verdict's place in its group. */
export interface GroupMember {
  readonly deviceId: string;
  readonly atMs: number;
  /** Of its text. */
  readonly hash: Uint8Array;
}

/** The verdicts of one transaction, and the entry of the log that stands for them. */
export interface VerdictGroup {
  readonly entry: AuditEntry;
  /** As the database has them, in the order of the tree. */
  readonly members: string;
}

/** The text that is a leaf of its group's tree. */
export const verdictRecord = ({ deviceId, atMs, status, isTrusted, detail }: CommittedVerdict): string =>
  JSON.stringify({ device: deviceId, atMs, status, isTrusted, detailSha256: detail.sha256 });

/** @param verdicts at least one */
export function groupVerdicts(verdicts: readonly CommittedVerdict[]): VerdictGroup {
  const hashes = verdicts.map((one) => hashLeaf(utf8(verdictRecord(one))));
  // Not before any of them is forgotten may they be missed.
  const atMs = verdicts.reduce((least, one) => Math.min(least, one.atMs), Number.MAX_SAFE_INTEGER);
  const act = { kind: VERDICTS_COMMIT, actor: SERVICE, subject: 'verdicts', detail: recordsDetail(hashes) };
  const members = verdicts.map(({ deviceId, atMs: at }, i) => [deviceId, at, encodeBase64url(hashes[i] as Uint8Array)]);
  return { entry: auditEntryOf(act, atMs), members: JSON.stringify(members) };
}

const SERVICE = { kind: 'service', name: 'vouchsafe' } as const;

/** None where somebody has made something else of the text: then they are missing. */
export function parseMembers(text: string): GroupMember[] {
  try {
    return (JSON.parse(text) as [string, number, string][]).map(([deviceId, atMs, hash]) => ({
      deviceId,
      atMs,
      hash: parseBase64url(hash),
    }));
  } catch {
    return [];
  }
}
