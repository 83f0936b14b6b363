// SPDX-License-Identifier: Apache-2.0
import type { InitrdInput } from './initrd-input.ts';
import type { LayoutInput } from './layout-input.ts';
import type { RecipeNode } from './recipe-node.ts';

/** Characters of a partition's label. UEFI 2.10, table 5.6. */
const MAX_LABEL = 36;

/** The members of a recipe that depend on each other. */
interface DependentMembers {
  readonly name: string;
  readonly version: string;
  readonly initrd: InitrdInput;
  readonly layout: LayoutInput;
  readonly var: { readonly sizeBytes: number } | undefined;
  readonly profile: 'machine' | 'kata';
}

/** What each member may be is one thing, what goes with what another. @throws {ImageError} 'recipe_invalid' */
export function checkTogether(recipe: DependentMembers, node: RecipeNode): void {
  const { profile, initrd, layout } = recipe;
  const isGiven = (name: string): boolean => node.optional(name) !== undefined;
  const refuse = (name: string, problem: string): never => node.member(name).refuse(problem);
  if (recipe.var !== undefined && initrd.kind === 'files') {
    refuse('var', 'expected an initrd that is made, which opens it');
  }
  if (layout.slots === 2 && !isGiven('loader')) {
    refuse('layout', 'expected a loader, which chooses between the versions of two slots');
  }
  const slotLabel = `${recipe.name}_${recipe.version}_verity_sig`;
  if (layout.slots === 2 && slotLabel.length > MAX_LABEL) {
    refuse(
      'name',
      `expected a name and a version short enough for the label ${slotLabel}, at most ${MAX_LABEL} characters`,
    );
  }
  if (profile === 'machine') return;
  for (const name of ['loader', 'stub', 'var', 'sysexts', 'confexts', 'credentials', 'phases', 'policy-phases']) {
    if (isGiven(name)) refuse(name, 'expected none of it for a confidential guest, which has no ESP and no TPM');
  }
  if (layout.slots === 2 || layout.verity === 'usr') {
    refuse('layout', 'expected a verity root in one slot for a confidential guest');
  }
  if (initrd.kind === 'files') refuse('initrd', 'expected one that is made for a confidential guest');
}
