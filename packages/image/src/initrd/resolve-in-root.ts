// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ImageError } from '../error.ts';

/** As Linux follows at most. fs/namei.c, MAXSYMLINKS. */
const MAX_LINKS = 40;

/**
 * Where a path of a system leads on this machine, links followed as they would be if the root were `/`. In an unpacked
 * system an absolute link, or one with many `..`, would otherwise lead to this machine's own files.
 * @returns the path on this machine, a link no more; undefined when there is nothing.
 * @throws {ImageError} 'path_invalid' for links that go in circles.
 */
export function resolveInRoot(root: string, path: string): string | undefined {
  const ahead = path.split('/').reverse();
  const walked: string[] = [];
  let links = 0;
  while (ahead.length > 0) {
    const name = ahead.pop() as string;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      // Above the root is the root.
      walked.pop();
      continue;
    }
    const here = join(root, ...walked, name);
    const found = lstatSync(here, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isSymbolicLink()) {
      walked.push(name);
      continue;
    }
    if (++links > MAX_LINKS) {
      throw new ImageError(
        'path_invalid',
        `${join(root, path)}: expected at most ${MAX_LINKS} symbolic links, found more`,
      );
    }
    const target = readlinkSync(here);
    if (target.startsWith('/')) walked.length = 0;
    ahead.push(...target.split('/').reverse());
  }
  return join(root, ...walked);
}
