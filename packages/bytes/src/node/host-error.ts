// SPDX-License-Identifier: Apache-2.0
import { BytesError, type BytesErrorCode } from '../error.ts';

/** What a person can act on, by the host's error code. */
const MEANINGS: Readonly<Record<string, readonly [BytesErrorCode, string]>> = {
  ENOENT: ['not_found', 'no such file; check the path'],
  ELOOP: ['not_found', 'too many symbolic links, one may lead to itself; check the path'],
  ENAMETOOLONG: ['not_found', 'the name is too long; choose a shorter one'],
  ENOTDIR: ['not_found', 'a part of the path is not a folder; check the path'],
  EACCES: ['no_permission', 'permission denied; check the owner and mode of the file and its folder'],
  EPERM: ['no_permission', 'operation not permitted; check the owner and attributes of the file'],
  EROFS: ['no_permission', 'the file system is read-only; choose another place'],
  ENOSPC: ['no_space', 'no space left on the device; free some and run the command again'],
  EDQUOT: ['no_space', 'the disk quota is used up; free some space and run the command again'],
  EBUSY: ['no_permission', 'it is in use, mounted perhaps; release it and run the command again'],
  EFBIG: ['no_space', 'the file system does not take a file of that size'],
  EISDIR: ['not_a_file', 'this is a folder, a file is needed'],
  EEXIST: ['exists', 'the file is there already'],
};

/** The host's refusal as our error: the file first, then what it means and what to do. */
export function hostError(path: string, cause: unknown): BytesError {
  const errno = cause as NodeJS.ErrnoException;
  const [code, meaning] = MEANINGS[errno.code ?? ''] ?? ['io', errno.message];
  return new BytesError(code, `${path}: ${meaning}`, { cause });
}

/** Runs one call to the host and turns its refusal into our error. */
export function onHost<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof BytesError) throw cause;
    throw hostError(path, cause);
  }
}
