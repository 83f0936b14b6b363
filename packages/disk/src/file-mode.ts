// SPDX-License-Identifier: Apache-2.0

/** The file type bits of st_mode. POSIX.1-2017, <sys/stat.h>; the values are Linux's, inode(7). */
export const FILE_TYPES = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

export type FileKind = keyof typeof FILE_TYPES;

export const FILE_TYPE_MASK = 0o170000;
/** Permission bits with set-user-id, set-group-id and sticky. */
export const PERMISSION_MASK = 0o7777;

const KINDS = new Map<number, FileKind>(Object.entries(FILE_TYPES).map(([kind, bits]) => [bits, kind as FileKind]));

/** The kind that a mode says; undefined for bits that are no type. */
export function fileKindOf(mode: number): FileKind | undefined {
  return KINDS.get(mode & FILE_TYPE_MASK);
}
