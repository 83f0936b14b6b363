// SPDX-License-Identifier: Apache-2.0
import { proveRecord, type RecordProof } from '@vouchsafe/audit';
import { ServerError } from '../../error.ts';
import type { Store } from '../../store/open-store.ts';
import { proveInclusion } from './read-log.ts';
import { parseMembers } from './verdict-group.ts';
import { detailDigests, recordOf } from './verdict-records.ts';

/**
 * What shows that a verdict is the one that was recorded: the verdict as the database has it now, its way to the entry of
 * the log that stands for it, and the entry's way to the newest signed head. Whoever has the log's key checks it himself.
 * @param notAfterMs the device's newest verdict that is not after this time
 * @throws {ServerError} 'not_found'
 */
export async function proveVerdict(store: Store, deviceId: string, notAfterMs: number): Promise<RecordProof> {
  const { verdicts, audit } = store.read;
  const row = await verdicts.newest(deviceId, notAfterMs);
  if (row === undefined) throw new ServerError('not_found', 'there is no verdict of such a device and time');
  const entryId = row.audit_entry;
  if (entryId === null) throw new ServerError('not_found', 'no entry of the audit log stands for this verdict');
  const [group] = await verdicts.groups([entryId]);
  const members = parseMembers(group?.members ?? '');
  const index = members.findIndex((one) => one.deviceId === deviceId && one.atMs === row.at_ms);
  const [entry, head] = [await audit.find(entryId), await audit.newestHead()];
  if (index < 0 || entry === undefined) {
    throw new ServerError('not_found', 'the entry of the audit log for this verdict is not kept any more');
  }
  if (entry.place === null || head === undefined || entry.place >= head.size) {
    throw new ServerError('not_found', 'the entry for this verdict gets its place within seconds; ask again then');
  }
  return {
    record: recordOf(row, await detailDigests(store)([row.detail_sha256])),
    index,
    hashes: await proveRecord(
      members.map(({ hash }) => hash),
      index,
    ),
    entry: { leaf: entry.leaf, index: entry.place, hashes: await proveInclusion(store, entry.place, head.size) },
    note: head.note,
  };
}
