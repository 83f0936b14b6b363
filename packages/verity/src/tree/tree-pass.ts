// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { Climb } from './climb.ts';
import type { TreeLayout } from './layout.ts';
import { hashLeaves, type Settle } from './leaves.ts';
import type { VerityParameters } from './parameters.ts';
import { saltedDigester } from './salted.ts';

/** Octets of data between two calls of the progress function. */
const REPORT_BYTES = 16 * 1024 * 1024;

/**
 * One pass over all of the data and the tree, from the leaves to the root, in one thread.
 * @param phase what to call it in progress: 'hashing', 'verifying'.
 * @returns the digest of the top block, or of the only data block when there is no tree.
 */
export async function passOverTree(
  data: ByteSource,
  p: VerityParameters,
  layout: TreeLayout,
  settle: Settle,
  phase: string,
  work: LongWork = {},
): Promise<Uint8Array> {
  const total = p.dataBlocks * p.dataBlockSize;
  const report = (done: number): void | Promise<void> => work.onProgress?.({ phase, done, total });
  work.signal?.throwIfAborted();
  if (layout.levels.length === 0) {
    const block = new Uint8Array(p.dataBlockSize);
    data.read(0, block);
    const root = saltedDigester(p, p.dataBlockSize, layout.cells.digestBytes)(block);
    await report(total);
    return root;
  }
  const climb = new Climb(p, layout, settle);
  let reported = 0;
  for (const step of hashLeaves(data, p, layout, { first: 0, end: p.dataBlocks }, settle, (digest) =>
    climb.add(digest),
  )) {
    const done = step.done * p.dataBlockSize;
    if (done - reported < REPORT_BYTES && done < total) continue;
    reported = done;
    await report(done);
    work.signal?.throwIfAborted();
  }
  return climb.finish();
}
