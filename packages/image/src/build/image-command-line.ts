// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { imaParameters } from '../recipe/ima-input.ts';
import type { Recipe } from '../recipe/recipe.ts';

/** The root hash, and what the kernel measures of files; everything else of the command line is the recipe's. */
export function imageCommandLine(recipe: Recipe, rootHash: Uint8Array): string {
  const ima = recipe.ima === undefined ? [] : imaParameters(recipe.ima);
  const name = recipe.layout.verity === 'usr' ? 'usrhash' : 'roothash';
  return [`${name}=${toHex(rootHash)}`, ...ima, recipe.commandLine].filter((part) => part !== '').join(' ');
}
