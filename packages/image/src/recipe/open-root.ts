// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { LongWork } from '@vouchsafe/base';
import { applyTreeRules, clampTimes, type TreeRule } from '@vouchsafe/disk';
import { type OpenTree, openTree } from '@vouchsafe/disk/node';
import type { RootInput } from './root-input.ts';

export interface OpenRootRequest extends LongWork {
  readonly input: RootInput;
  readonly rules: readonly TreeRule[];
  /** The folder that paths are meant from. */
  readonly folder: string;
  /** SOURCE_DATE_EPOCH: nothing in the root is newer, in seconds since 1970. */
  readonly timestampSeconds: number;
}

/**
 * The root file system of a recipe, with its rules applied, and no time later than the build's.
 * @throws {DiskError} as `openTree` and `applyTreeRules`. @throws {BytesError}
 */
export async function openRoot({
  input,
  rules,
  folder,
  timestampSeconds,
  ...work
}: OpenRootRequest): Promise<OpenTree> {
  const { kind, path, ...options } = input;
  const opened = await openTree(
    resolve(folder, path),
    { ...options, ...work, impliedMtimeSeconds: timestampSeconds },
    kind,
  );
  try {
    const entries = clampTimes(applyTreeRules(opened.entries, rules), timestampSeconds);
    return { ...opened, entries, [Symbol.dispose]: () => opened[Symbol.dispose]() };
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}
