// SPDX-License-Identifier: Apache-2.0
import type { FileHandleData } from '@vouchsafe/bytes/node';
import type { NumberRun } from '../tree/block-set.ts';
import type { HashAreaPlace } from '../tree/layout.ts';
import type { LeafRange } from '../tree/leaves.ts';
import type { VerityParameters } from '../tree/parameters.ts';

/** What a worker is told once. Descriptors are shared by all threads of a process. */
export interface LeafWorkerData {
  readonly mode: 'write' | 'compare';
  readonly data: FileHandleData;
  /** The hash file: written to, or compared with. */
  readonly hash: FileHandleData;
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
}

export type LeafTask = LeafRange & { readonly id: number };

/** What a worker answers for one range. */
export type LeafResult =
  | {
      readonly id: number;
      /** Digests of the range's blocks of level 0, in order, without gaps. */
      readonly digests: Uint8Array;
      readonly mismatched: readonly NumberRun[];
      readonly spare: readonly NumberRun[];
    }
  | {
      readonly id: number;
      readonly failure: { readonly name: string; readonly code: string; readonly message: string };
    };
