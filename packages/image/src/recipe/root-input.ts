// SPDX-License-Identifier: Apache-2.0
import type { OciPlatform } from '@vouchsafe/disk';
import type { TreeInputKind } from '@vouchsafe/disk/node';
import type { RecipeNode } from './recipe-node.ts';

/** Where a root file system comes from. Paths are those of the recipe, from its own folder. */
export interface RootInput {
  readonly kind: Exclude<TreeInputKind, 'deb'>;
  readonly path: string;
  readonly platform?: OciPlatform;
  readonly reference?: string;
  readonly duplicates?: 'refuse' | 'replace';
  readonly xattrs?: 'read' | 'ignore';
}

/**
 * The recipe's `root`: one of `folder`, `tar` and `oci`, and what goes with it.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseRootInput(node: RecipeNode): RootInput {
  const found = (['folder', 'tar', 'oci'] as const).filter((kind) => node.optional(kind) !== undefined);
  const [kind] = found;
  if (kind === undefined || found.length > 1) return node.refuse('expected one of folder, tar and oci');
  const path = node.member(kind).text();
  if (kind === 'folder') {
    node.allow(kind, 'xattrs');
    const xattrs = node.optional('xattrs')?.oneOf('read', 'ignore');
    return { kind, path, ...(xattrs === undefined ? {} : { xattrs }) };
  }
  node.allow(kind, 'duplicates', ...(kind === 'oci' ? ['platform', 'reference'] : []));
  const duplicates = node.optional('duplicates')?.oneOf('refuse', 'replace');
  const common = { kind, path, ...(duplicates === undefined ? {} : { duplicates }) };
  if (kind === 'tar') return common;
  const platform = node.optional('platform');
  const reference = node.optional('reference')?.text();
  return {
    ...common,
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** OS/ARCHITECTURE[/VARIANT] in Go's words, as container tools write it. */
function parsePlatform(node: RecipeNode): OciPlatform {
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9.]+))?$/.exec(node.text()) ?? [];
  if (os === undefined || architecture === undefined)
    return node.refuse('expected OS/ARCHITECTURE, such as linux/amd64');
  return { os, architecture, variant };
}
