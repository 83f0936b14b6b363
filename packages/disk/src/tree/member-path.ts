// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';
import { isPlainPath, requirePath } from './file-tree.ts';

/**
 * A path of an archive as one of a tree: without a leading slash, as every tar puts an absolute path below the folder it
 * extracts into, and without "./", "//" and a slash at the end, all of which archives have.
 * @throws {DiskError} 'path_escape' for a path with "..", whatever it would lead to; 'name_invalid'.
 */
export function memberPath(raw: string): string {
  if (isPlainPath(raw)) return raw;
  const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    throw new DiskError('path_escape', `${show(raw)}: expected a path without "..", which could lead out of the tree`);
  }
  const path = parts.join('/');
  requirePath(path);
  return path;
}

/** A path in a message, however long or strange. */
function show(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
