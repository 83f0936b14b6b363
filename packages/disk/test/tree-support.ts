// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import type { FileTree, TreeEntry } from '@vouchsafe/disk';

/** A directory of root's. */
export function folder(path: string, mode = 0o755): TreeEntry {
  return { kind: 'directory', path, mode, uid: 0, gid: 0, mtimeSeconds: 0 };
}

/** All of a tree in plain values, by path, with the contents as hexadecimal. */
export function shown(tree: FileTree): Record<string, unknown> {
  const all = Array.from(tree, (entry): [string, unknown] => {
    if (entry.kind === 'hardlink') return [entry.path, `= ${entry.target}`];
    const { path, xattrs, ...rest } = entry;
    const content = 'content' in entry ? { content: toHex(readBytes(entry.content, 0, entry.content.size)) } : {};
    const values =
      xattrs === undefined ? {} : { xattrs: Object.fromEntries(xattrs.map(({ name, value }) => [name, toHex(value)])) };
    return [path, { ...rest, ...content, ...values }];
  });
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}
