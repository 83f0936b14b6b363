// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../../error.ts';

/** @param problem what was expected and what was found, with the inode's number or the offset. */
export function erofsMalformed(source: { readonly label: string }, problem: string): DiskError {
  return new DiskError('erofs_malformed', `${source.label}: EROFS: ${problem}`);
}

export function erofsUnsupported(source: { readonly label: string }, problem: string): DiskError {
  return new DiskError('erofs_unsupported', `${source.label}: EROFS: ${problem}`);
}
