// SPDX-License-Identifier: Apache-2.0
import type { OciPlatform } from '@vouchsafe/disk';
import type { TreeInputKind } from '@vouchsafe/disk/node';
import type { RecipeNode } from './recipe-node.ts';

/** One place where files come from. Paths are those of the recipe, from its own folder. */
export interface RootLayer {
  readonly kind: TreeInputKind;
  readonly path: string;
  readonly platform?: OciPlatform;
  readonly reference?: string;
  readonly duplicates?: 'refuse' | 'replace';
  readonly xattrs?: 'read' | 'ignore';
  /** Where in the root a folder's content lies; in the root itself unless given. */
  readonly at?: string;
}

/** A single file of the builder's, root's own in the image. */
export interface RootFile {
  readonly kind: 'file';
  readonly path: string;
  /** Its path in the root. */
  readonly at: string;
  readonly mode: number;
}

/** Where a root file system comes from: layers, of which the later ones lie over the earlier. */
export type RootInput = readonly (RootLayer | RootFile)[];

const KINDS = ['folder', 'tar', 'oci', 'packages'] as const;
const LAYER_KINDS = [...KINDS, 'file'] as const;
/** Members beside where it comes from. */
const OF_THE_ROOT = ['compression'];
const DEFAULT_FILE_MODE = 0o644;

/**
 * The recipe's `root`: one of `folder`, `tar`, `oci` and `packages` and what goes with it, or `layers`, a list of such and
 * of single files. How it is compressed is no matter of where it comes from; the recipe reads that.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseRootInput(node: RecipeNode): RootInput {
  const layers = node.optional('layers');
  if (layers === undefined) return parseLayer(node, KINDS, OF_THE_ROOT);
  node.allow('layers', ...OF_THE_ROOT);
  return layers.items().flatMap((item) => parseLayer(item, LAYER_KINDS));
}

function parseLayer(
  node: RecipeNode,
  kinds: readonly (typeof LAYER_KINDS)[number][],
  more: readonly string[] = [],
): RootInput {
  const found = kinds.filter((kind) => node.optional(kind) !== undefined);
  const [kind] = found;
  if (kind === undefined || found.length > 1) {
    return node.refuse(`expected one of ${kinds.slice(0, -1).join(', ')} and ${kinds.at(-1)}`);
  }
  switch (kind) {
    case 'packages':
      node.allow(kind, ...more);
      return node
        .member(kind)
        .items()
        .map((item) => ({ kind: 'deb', path: item.text() }));
    case 'file':
      return [parseFile(node)];
    case 'folder':
      return [parseFolder(node, more)];
    default:
      return [parseArchive(node, kind, more)];
  }
}

function parseFile(node: RecipeNode): RootFile {
  node.allow('file', 'at', 'mode');
  const mode = node.optional('mode')?.permissions() ?? DEFAULT_FILE_MODE;
  return { kind: 'file', path: node.member('file').text(), at: parsePlace(node.member('at')), mode };
}

function parseFolder(node: RecipeNode, more: readonly string[]): RootLayer {
  node.allow('folder', 'xattrs', 'at', ...more);
  const xattrs = node.optional('xattrs')?.oneOf('read', 'ignore');
  const at = node.optional('at');
  return {
    kind: 'folder',
    path: node.member('folder').text(),
    ...(xattrs === undefined ? {} : { xattrs }),
    ...(at === undefined ? {} : { at: parsePlace(at) }),
  };
}

function parseArchive(node: RecipeNode, kind: 'tar' | 'oci', more: readonly string[]): RootLayer {
  node.allow(kind, 'duplicates', ...more, ...(kind === 'oci' ? ['platform', 'reference'] : []));
  const duplicates = node.optional('duplicates')?.oneOf('refuse', 'replace');
  const path = node.member(kind).text();
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

/** A path in the root, with a slash at its beginning or without. */
function parsePlace(node: RecipeNode): string {
  const path = node.text().replace(/^\//, '');
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return isPlain ? path : node.refuse('expected a path of the root without empty parts, . and ..');
}

/** OS/ARCHITECTURE[/VARIANT] in Go's words, as container tools write it. */
function parsePlatform(node: RecipeNode): OciPlatform {
  const [, os, architecture, variant] = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9.]+))?$/.exec(node.text()) ?? [];
  if (os === undefined || architecture === undefined)
    return node.refuse('expected OS/ARCHITECTURE, such as linux/amd64');
  return { os, architecture, variant };
}
