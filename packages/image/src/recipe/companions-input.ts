// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { RecipeNode } from './recipe-node.ts';

/** Paths of files that lie beside the UKI on the ESP, which the stub measures and hands to the initrd. systemd-stub(7). */
export interface CompanionsInput {
  readonly sysexts: readonly string[];
  readonly confexts: readonly string[];
  readonly credentials: readonly string[];
}

/** What the stub takes each for: by the end of its name. systemd 257, src/boot/stub.c. */
const SUFFIXES = { sysexts: '.raw', confexts: '.confext.raw', credentials: '.cred' } as const;
const MEMBERS = ['sysexts', 'confexts', 'credentials'] as const;

/**
 * The recipe's `sysexts`, `confexts` and `credentials`.
 * @param recipe the whole.
 * @throws {ImageError} 'recipe_invalid', also for two files of one name.
 */
export function parseCompanions(recipe: RecipeNode): CompanionsInput {
  const taken = new Set<string>();
  const paths = (member: (typeof MEMBERS)[number]): readonly string[] =>
    (recipe.optional(member)?.items() ?? []).map((item) => {
      const path = item.text();
      const name = basename(path).toLowerCase();
      const isOther = member === 'sysexts' && name.endsWith(SUFFIXES.confexts);
      if (!name.endsWith(SUFFIXES[member]) || isOther || !/^[\x21-\x7e]{1,255}$/.test(name)) {
        item.refuse(`expected the name of a file that ends in ${SUFFIXES[member]}`);
      }
      // They lie in one folder of a FAT volume, where upper and lower case are the same.
      if (taken.has(name)) item.refuse(`expected files with names of their own, found a second ${name}`);
      taken.add(name);
      return path;
    });
  return { sysexts: paths('sysexts'), confexts: paths('confexts'), credentials: paths('credentials') };
}
