// SPDX-License-Identifier: Apache-2.0
import type { FileSource } from '@vouchsafe/bytes/node';
import type { AuthenticodeAlgorithm } from '../authenticode/digest.ts';

/** How far the work is; each of the two threads may take it once. */
export const STATE = { waiting: 0, running: 1, done: 2, failed: 3, taken: 4 } as const;

/** Octets of the longest digest. */
export const DIGEST_ROOM = 64;

/** What goes to the thread; `state` and `digests` are shared memory. */
export interface MeasuredDigestsJob {
  readonly file: FileSource['handle'];
  readonly algorithms: readonly AuthenticodeAlgorithm[];
  readonly state: Int32Array;
  readonly digests: Uint8Array;
}
