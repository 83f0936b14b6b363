// SPDX-License-Identifier: Apache-2.0
import { type ExportedRecord, saidOfRecords } from '@vouchsafe/audit';
import type { Store } from '../../store/open-store.ts';
import type { VerdictRow } from '../../store/rows/verdicts.ts';
import { sha256OfText } from '../random.ts';
import { type GroupMember, parseMembers, verdictRecord } from './verdict-group.ts';

/** Groups whose verdicts are in memory at a time: 256 verdicts each at most. */
const GROUPS = 16;

/** The verdicts that some entries stand for, by the entry's text; each as the database has it now. */
export type RecordsOf = (leaves: readonly string[]) => AsyncGenerator<{
  readonly leaf: string;
  readonly records: readonly ExportedRecord[];
}>;

/** @returns a reader for one export, which looks at what a verdict said once. */
export function verdictRecordsOf(store: Store): RecordsOf {
  const digests = detailDigests(store);
  return async function* (leaves) {
    const wanted = leaves.filter((leaf) => saidOfRecords(leaf)?.group !== undefined);
    for (let at = 0; at < wanted.length; at += GROUPS) {
      const some = wanted.slice(at, at + GROUPS).map((leaf) => ({ leaf, id: idOf(leaf) }));
      const groups = await store.read.verdicts.groups(some.map(({ id }) => id));
      const members = new Map(groups.map((row) => [row.entry_id, parseMembers(row.members)]));
      const keys = some.flatMap(({ id }) => (members.get(id) ?? []).map((one) => ({ ...one, entryId: id })));
      const rows = keys.length === 0 ? [] : await store.read.verdicts.find(keys);
      const said = await digests(rows.map((row) => row.detail_sha256));
      const texts = new Map(rows.map((row) => [keyOf(row.device_id, row.at_ms), recordOf(row, said)]));
      for (const { leaf, id } of some) {
        const found = members.get(id);
        if (found !== undefined) yield { leaf, records: found.map((one) => exported(one, texts)) };
      }
    }
  };
}

/** A verdict's text, with the digest of what it says now: where that was changed, the text is another than it was. */
export const recordOf = (row: VerdictRow, said: ReadonlyMap<string, string>): string =>
  verdictRecord({
    deviceId: row.device_id,
    atMs: row.at_ms,
    status: row.status,
    isTrusted: row.is_trusted === 1,
    detail: { sha256: said.get(row.detail_sha256) ?? '' },
  });

/** Details whose digests are remembered: machines of an image mostly get the same. */
const MAX_DETAILS = 4096;

/** What the details come to that verdicts name; one that is not there comes to nothing. */
export function detailDigests(store: Store): (named: readonly string[]) => Promise<ReadonlyMap<string, string>> {
  let known = new Map<string, string>();
  return async (named) => {
    if (known.size > MAX_DETAILS) known = new Map();
    const wanted = [...new Set(named)].filter((one) => !known.has(one));
    if (wanted.length > 0) {
      for (const { sha256, body } of await store.read.verdicts.details(wanted)) known.set(sha256, sha256OfText(body));
    }
    return known;
  };
}

function exported({ deviceId, atMs, hash }: GroupMember, texts: ReadonlyMap<string, string>): ExportedRecord {
  const leaf = texts.get(keyOf(deviceId, atMs));
  return leaf === undefined ? { hash } : { leaf };
}

const keyOf = (deviceId: string, atMs: number): string => `${atMs} ${deviceId}`;

const idOf = (leaf: string): string => String((JSON.parse(leaf) as { readonly id?: unknown }).id);
