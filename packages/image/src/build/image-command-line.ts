// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { Recipe } from '../recipe/recipe.ts';

/** What the root hash is said in: everything else of the command line is the recipe's. */
export function imageCommandLine(recipe: Recipe, rootHash: Uint8Array): string {
  return [`roothash=${toHex(rootHash)}`, recipe.commandLine].filter((part) => part !== '').join(' ');
}
