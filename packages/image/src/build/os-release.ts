// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import type { TreeEntry } from '@vouchsafe/disk';
import { ImageError } from '../error.ts';
import type { Recipe } from '../recipe/recipe.ts';

const MAX_OS_RELEASE_BYTES = 64 * 1024;

/** The root's own, so that what is shown at boot is what is booted. os-release(5). */
export function osReleaseOf(entries: readonly TreeEntry[], { name, version }: Recipe): Uint8Array {
  for (const path of ['usr/lib/os-release', 'etc/os-release']) {
    const found = entries.find((entry) => entry.kind !== 'hardlink' && entry.path === path);
    if (found?.kind !== 'file') continue;
    if (found.content.size > MAX_OS_RELEASE_BYTES) {
      throw new ImageError('recipe_invalid', `${path}: expected at most ${MAX_OS_RELEASE_BYTES} octets`);
    }
    return readBytes(found.content, 0, found.content.size);
  }
  return utf8(`ID=${name.toLowerCase()}\nVERSION_ID=${version}\nPRETTY_NAME="${name} ${version}"\n`);
}
