// SPDX-License-Identifier: Apache-2.0
import {
  consistencyProof,
  formatExportLine,
  hashLeaf,
  hashNode,
  inclusionProof,
  type SubtreeHashes,
} from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import { ServerError } from '../../error.ts';
import type { Store } from '../../store/open-store.ts';
import { parseNodes, STORED_LEVELS } from './sequencer.ts';
import { verdictRecordsOf } from './verdict-records.ts';

/** Entries that are in memory at a time. */
const PAGE = 1000;

/**
 * The log from an entry on, as lines that `verifyAuditLog` takes; the newest head last.
 * @param options.from undefined for all that there is
 * @param options.withRecords the verdicts that entries stand for, too
 * @throws {ServerError} 'not_found' for an entry that is not there yet, or not any more
 */
export async function* exportLog(
  store: Store,
  origin: string,
  { from, withRecords = false }: { readonly from?: number | undefined; readonly withRecords?: boolean } = {},
): AsyncGenerator<string> {
  const log = await store.read.audit.log();
  const head = await store.read.audit.newestHead();
  const size = head?.size ?? 0;
  const first = log?.first ?? 0;
  const start = from ?? first;
  if (start < first || start > size) {
    throw new ServerError('not_found', `expected an entry from ${first} to ${size}, found ${start}`);
  }
  const nodes = start === first ? parseNodes(log?.first_nodes ?? '[]') : await frontierAt(storedSubtrees(store), start);
  const frontier = { size: start, nodes };
  yield formatExportLine({ kind: 'start', origin, frontier, ...(withRecords ? { withRecords } : {}) });
  const recordsOf = verdictRecordsOf(store);
  for (let at = start; at < size; at += PAGE) {
    const entries = await store.read.audit.entries(at, Math.min(at + PAGE, size));
    const groups = recordsOf(withRecords ? entries.map(({ leaf }) => leaf) : []);
    let group = await groups.next();
    for (const { place, leaf } of entries) {
      yield formatExportLine({ kind: 'entry', index: place, leaf });
      if (group.done === true || group.value.leaf !== leaf) continue;
      yield formatExportLine({ kind: 'records', index: place, records: group.value.records });
      group = await groups.next();
    }
  }
  if (head !== undefined) yield formatExportLine({ kind: 'head', note: head.note });
}

/** That an entry is in the log of a size. @throws {AuditError} 'audit_argument' */
export const proveInclusion = (store: Store, index: number, size: number): Promise<Uint8Array[]> =>
  inclusionProof(storedSubtrees(store), index, size);

/** That the log of a size has grown out of that of another. @throws {AuditError} 'audit_argument' */
export const proveConsistency = (store: Store, olderSize: number, size: number): Promise<Uint8Array[]> =>
  consistencyProof(storedSubtrees(store), olderSize, size);

/** The roots of the complete subtrees that a size is made of, the largest first. */
async function frontierAt(subtrees: SubtreeHashes, size: number): Promise<Uint8Array[]> {
  const nodes: Uint8Array[] = [];
  for (let at = 0, level = 52; level >= 0; level--) {
    const count = 2 ** level;
    if (size - at < count) continue;
    nodes.push(await subtrees(level, at / count));
    at += count;
  }
  return nodes;
}

/** Subtrees out of the stored ones below, and those of less than 256 entries out of the entries. */
function storedSubtrees(store: Store): SubtreeHashes {
  const subtree: SubtreeHashes = async (level, index) => {
    if (level > 0 && level % STORED_LEVELS === 0) {
      const hash = await store.read.audit.node(level, index);
      if (hash !== undefined) return Uint8Array.from(hash);
    }
    if (level < STORED_LEVELS) {
      const count = 2 ** level;
      const entries = await store.read.audit.entries(index * count, (index + 1) * count);
      if (entries.length !== count) throw gone(index * count);
      return rootOfComplete(entries.map(({ leaf }) => hashLeaf(utf8(leaf))));
    }
    const [left, right] = [await subtree(level - 1, 2 * index), await subtree(level - 1, 2 * index + 1)];
    return hashNode(left, right);
  };
  return subtree;
}

function rootOfComplete(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0] as Uint8Array;
  const half = hashes.length / 2;
  return hashNode(rootOfComplete(hashes.slice(0, half)), rootOfComplete(hashes.slice(half)));
}

const gone = (index: number): ServerError =>
  new ServerError('not_found', `the entries from ${index} on are not kept any more, or not there yet`);
