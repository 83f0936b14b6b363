// SPDX-License-Identifier: Apache-2.0
import type { RecipeNode } from './recipe-node.ts';

/** Where a kernel and its modules come from. */
export type KernelInput =
  /** An unpacked system or package. */
  | { readonly kind: 'folder'; readonly path: string; readonly version?: string }
  /** Debian packages, of which the later ones lie over the earlier. */
  | { readonly kind: 'packages'; readonly paths: readonly string[]; readonly version?: string };

/**
 * The recipe's `kernel`: `folder` or `packages`, and `version` where there are several kernels.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseKernelInput(node: RecipeNode): KernelInput {
  node.allow('folder', 'packages', 'version');
  const [folder, packages] = [node.optional('folder'), node.optional('packages')];
  const version = node.optional('version')?.text();
  const wanted = version === undefined ? {} : { version };
  if ((folder === undefined) === (packages === undefined)) node.refuse('expected either folder or packages');
  if (folder !== undefined) return { kind: 'folder', path: folder.text(), ...wanted };
  return { kind: 'packages', paths: (packages as RecipeNode).items().map((item) => item.text()), ...wanted };
}
