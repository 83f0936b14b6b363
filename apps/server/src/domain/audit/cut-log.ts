// SPDX-License-Identifier: Apache-2.0
import { GrowingTree } from '@vouchsafe/audit';
import { utf8 } from '@vouchsafe/base';
import type { Store } from '../../store/open-store.ts';
import { formatNodes, parseNodes } from './sequencer.ts';

/** Entries that one transaction forgets. */
const BATCH = 1000;

/**
 * Forgets entries whose head was signed before a time. What stays begins at the hashes of the tree there, so that it can still
 * be proved to follow what was signed.
 * @returns how many entries are gone
 */
export async function cutLog(store: Store, origin: string, beforeMs: number): Promise<number> {
  const head = await store.read.audit.newestHeadBefore(beforeMs);
  if (head === undefined) return 0;
  for (let gone = 0; ; ) {
    const done = await store.write(async (tx) => {
      const log = await tx.audit.lock(origin);
      const to = Math.min(log.first + BATCH, head.size);
      if (to <= log.first) return 0;
      const tree = new GrowingTree({ size: log.first, nodes: parseNodes(log.first_nodes) });
      for (const { leaf } of await tx.audit.entries(log.first, to)) tree.append(utf8(leaf));
      await tx.audit.cut(origin, to, formatNodes(tree.frontier.nodes));
      return to - log.first;
    });
    gone += done;
    if (done === 0) return gone;
  }
}
