// SPDX-License-Identifier: Apache-2.0
import type { InitrdInput } from './initrd-input.ts';
import type { RecipeNode } from './recipe-node.ts';

/**
 * The recipe's `policy-phases`. With an encrypted /var only the initrd's, unless they are given: the system that runs later
 * has no use for the key, and so nobody who takes it over gets it from the TPM.
 * @param node the whole recipe.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parsePolicyPhases(node: RecipeNode, phases: readonly string[], initrd: InitrdInput): readonly string[] {
  const given = node.optional('policy-phases');
  const known = ['', ...phases];
  if (given !== undefined) {
    return given.items().map((item) => {
      const path = item.text().replace(/^:$/, '');
      if (!known.includes(path)) item.refuse(`expected one of the boot's phases: ${phases.join(', ')}, or ':'`);
      return path;
    });
  }
  if (node.optional('var') !== undefined) return ['enter-initrd'];
  // An initrd that is made begins with a phase of its own.
  return initrd.kind === 'made' ? phases : known;
}
