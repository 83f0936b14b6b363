// SPDX-License-Identifier: Apache-2.0
import type { FileHandleData } from '@vouchsafe/bytes/node';
import type { HostFile } from '@vouchsafe/disk/node';

/** What the thread is to digest: a file that is open, or files of a folder, which it opens. */
export type DigestTask =
  | { readonly id: number; readonly open: FileHandleData }
  | { readonly id: number; readonly files: readonly HostFile[] };

/** SHA-256 in lower-case hexadecimal, in the order of the task; undefined for what could not be read. */
export interface DigestResult {
  readonly id: number;
  readonly digests: readonly (string | undefined)[];
}
