// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { LongWork } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { applyTreeRules, clampTimes, overlayTrees, type TreeEntry, type TreeRule } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import type { RootFile, RootInput, RootLayer } from './root-input.ts';

export interface OpenRootRequest extends LongWork {
  readonly input: RootInput;
  readonly rules: readonly TreeRule[];
  /** The folder that paths are meant from. */
  readonly folder: string;
  /** SOURCE_DATE_EPOCH: nothing in the root is newer, in seconds since 1970. */
  readonly timestampSeconds: number;
}

/** A root file system; what is in it can be read until it is closed. */
export interface OpenRoot extends Disposable {
  readonly entries: readonly TreeEntry[];
  /** As it came, before any rule: a rule may take the package manager away, and what it installed is still there. */
  readonly given: readonly TreeEntry[];
}

/**
 * The root file system of a recipe: its layers over each other, with its rules applied, and no time later than the build's.
 * @throws {DiskError} as `openTree`, `overlayTrees` and `applyTreeRules`. @throws {BytesError}
 */
export async function openRoot(request: OpenRootRequest): Promise<OpenRoot> {
  const { input, rules, timestampSeconds } = request;
  const stack = new DisposableStack();
  try {
    const trees: (readonly TreeEntry[])[] = [];
    for (const layer of input) {
      trees.push(layer.kind === 'file' ? fileTree(layer, request, stack) : await layerTree(layer, request, stack));
    }
    const [layer] = input;
    const isWhole = input.length === 1 && layer?.kind !== 'file' && layer?.at === undefined;
    const whole = isWhole
      ? (trees[0] as readonly TreeEntry[])
      : overlayTrees(trees, { impliedMtimeSeconds: timestampSeconds });
    const entries = clampTimes(applyTreeRules(whole, rules), timestampSeconds);
    return { entries, given: whole, [Symbol.dispose]: () => stack.dispose() };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

async function layerTree(
  layer: RootLayer,
  { input: _, rules: __, folder, timestampSeconds, ...work }: OpenRootRequest,
  stack: DisposableStack,
): Promise<readonly TreeEntry[]> {
  const { kind, path, at, ...options } = layer;
  const from = resolve(folder, path);
  const opened = stack.use(await openTree(from, { ...options, ...work, impliedMtimeSeconds: timestampSeconds }, kind));
  return at === undefined ? opened.entries : opened.entries.map((entry) => moved(entry, at));
}

/** The folder's own entry becomes that of the folder it lies in; what is above is made where nothing lists it. */
function moved(entry: TreeEntry, at: string): TreeEntry {
  const below = (path: string): string => (path === '' ? at : `${at}/${path}`);
  return entry.kind === 'hardlink'
    ? { ...entry, path: below(entry.path), target: below(entry.target) }
    : { ...entry, path: below(entry.path) };
}

function fileTree(
  { path, at, mode }: RootFile,
  { folder, timestampSeconds }: OpenRootRequest,
  stack: DisposableStack,
): TreeEntry[] {
  const content = stack.use(FileSource.open(resolve(folder, path)));
  return [{ kind: 'file', path: at, mode, uid: 0, gid: 0, mtimeSeconds: timestampSeconds, content }];
}
