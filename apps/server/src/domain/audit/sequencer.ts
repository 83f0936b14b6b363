// SPDX-License-Identifier: Apache-2.0
import { GrowingTree, signTreeHead } from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import { encodeBase64, parseBase64, type Signer } from '@vouchsafe/pki';
import type { Store } from '../../store/open-store.ts';

/** Entries that one transaction gives places to. */
const BATCH = 1000;
/** Only the roots of subtrees of 2^8, 2^16 … entries are kept; those between are made from them. */
export const STORED_LEVELS = 8;

export interface AuditLogIdentity {
  /** The log's name in its heads. */
  readonly origin: string;
  /** Of an Ed25519 key. */
  readonly signer: Signer;
}

/** Hashes as the column has them. */
export const formatNodes = (nodes: readonly Uint8Array[]): string => JSON.stringify(nodes.map(encodeBase64));
export const parseNodes = (text: string): Uint8Array[] => (JSON.parse(text) as string[]).map(parseBase64);

/**
 * Gives entries their places in the tree, the oldest first, and signs its new head, in one transaction. The log's row is
 * locked meanwhile: of several instances one does it at a time, and the others go on from where it stopped.
 * @returns how many entries got a place; call again while it is not 0
 */
export async function sequenceEntries(
  store: Store,
  { origin, signer }: AuditLogIdentity,
  nowMs: number,
): Promise<number> {
  return store.write(async (tx) => {
    const log = await tx.audit.lock(origin);
    const entries = await tx.audit.waiting(BATCH);
    if (entries.length === 0) return 0;
    const tree = new GrowingTree({ size: log.size, nodes: parseNodes(log.nodes) });
    const places: { id: string; place: number }[] = [];
    const nodes: { level: number; position: number; hash: Uint8Array }[] = [];
    for (const { id, leaf } of entries) {
      places.push({ id, place: tree.size });
      for (const { level, index, hash } of tree.append(utf8(leaf))) {
        if (level > 0 && level % STORED_LEVELS === 0) nodes.push({ level, position: index, hash });
      }
    }
    await tx.audit.place(places);
    await tx.audit.addNodes(nodes);
    await tx.audit.grow(origin, tree.size, formatNodes(tree.frontier.nodes));
    const note = await signTreeHead({ origin, size: tree.size, root: tree.root(), atMs: nowMs }, signer);
    await tx.audit.addHead({ size: tree.size, note, at_ms: nowMs });
    return entries.length;
  });
}
