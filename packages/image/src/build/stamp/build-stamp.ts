// SPDX-License-Identifier: Apache-2.0
// What an image was made of, and what came of it, so that nothing is built again where nothing has changed. What is not sure
// is built again: docs/decisions/0009-repeated-builds.md.
import { lstatSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { serialize } from 'node:v8';
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import type { Recipe } from '../../recipe/recipe.ts';
import { writeSmall } from '../output-files.ts';
import { librariesOf, pathsIn, programFiles } from './build-inputs.ts';
import { type PathState, pathState } from './path-state.ts';

/** Counts up with the form of the file: another one is not read. */
const FORM = 1;
/** A file system's clock may lag behind the machine's by so much: what changed then may have been read before or after. */
const CLOCK_LAG_NS = 50_000_000n;
const MAX_STAMP_BYTES = 16 * 1024 * 1024;

export interface StampRequest {
  readonly recipe: Recipe;
  readonly recipeFolder: string;
  /** The stamp's own. */
  readonly path: string;
  readonly outputFolder: string;
}

interface Stamp {
  readonly form: number;
  readonly recipe: string;
  readonly program: string;
  /** Paths that the build asked for itself; others follow from the recipe and from these. */
  readonly asked: readonly string[];
  /** By their paths. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** What the build said. */
  readonly answer: unknown;
}

/** What a build makes known of itself: its inputs, when the first of them was read, what it made, and what to say of it. */
export interface FinishedBuild {
  readonly inputs: readonly string[];
  readonly startedNs: bigint;
  readonly outputs: readonly string[];
  readonly answer: unknown;
}

/** Hidden, beside the outputs: it is of this machine, and no part of the image. */
export const stampPath = (outputFolder: string, name: string): string => join(outputFolder, `.${name}.build.json`);

/**
 * What the last build said, if one now would make the same: the recipe, all that it names, this program and the outputs are
 * as they were. Undefined where that is not sure.
 */
export function unchangedBuild(request: StampRequest): unknown {
  const stamp = readStamp(request.path);
  if (stamp === undefined || stamp.recipe !== recipeDigest(request.recipe)) return undefined;
  for (const [name, state] of Object.entries(stamp.outputs)) {
    if (basename(name) !== name || outputState(join(request.outputFolder, name)) !== state) return undefined;
  }
  return unlessUnsure(() => {
    const paths = allInputs(request, stamp.asked);
    if (paths.length !== Object.keys(stamp.inputs).length) return undefined;
    if (paths.some((path) => pathState(path).digest !== stamp.inputs[path])) return undefined;
    return stamp.program === programState().digest ? stamp.answer : undefined;
  });
}

/** Writes down a build, unless something may have changed while it ran, or it cannot be told. */
export async function stampBuild(request: StampRequest, build: FinishedBuild): Promise<void> {
  const states = unlessUnsure(() => settledStates(request, build));
  if (states === undefined) return;
  // An output that somebody writes to from now on has another time than the one that is put down.
  await new Promise((resolve) => setTimeout(resolve, Number(CLOCK_LAG_NS / 1_000_000n)));
  const stamp: Stamp = {
    form: FORM,
    recipe: recipeDigest(request.recipe),
    ...states,
    asked: build.inputs,
    outputs: Object.fromEntries(build.outputs.map((path) => [basename(path), outputState(path)])),
    answer: build.answer,
  };
  writeSmall(request.path, utf8(JSON.stringify(stamp)), true);
}

/** Undefined when something is so new that it may have been read before or after it changed. */
function settledStates(
  request: StampRequest,
  build: FinishedBuild,
): { readonly program: string; readonly inputs: Record<string, string> } | undefined {
  const limitNs = build.startedNs - CLOCK_LAG_NS;
  const program = programState();
  const states = allInputs(request, build.inputs).map((path) => [path, pathState(path)] as const);
  if ([program, ...states.map(([, state]) => state)].some(({ newestNs }) => newestNs >= limitNs)) return undefined;
  return { program: program.digest, inputs: Object.fromEntries(states.map(([path, { digest }]) => [path, digest])) };
}

/** @throws {ImageError} where it cannot be told, as when a library is missing. */
function allInputs({ recipe, recipeFolder }: StampRequest, asked: readonly string[]): string[] {
  const paths = [...new Set([...asked, ...pathsIn(recipe, recipeFolder)])];
  return [...new Set([...paths, ...librariesOf(paths)])].sort();
}

/** What the host does not let see, or what is missing, makes nothing wrong: it is only not known. */
function unlessUnsure<T>(look: () => T | undefined): T | undefined {
  try {
    return look();
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return undefined;
    throw error;
  }
}

/** The values that a build goes by, whatever the file around them looks like. */
const recipeDigest = (recipe: Recipe): string => toHex(digest('sha256', serialize(recipe)));

function programState(): PathState {
  const { paths, versions } = programFiles();
  const states = paths.map(pathState);
  const text = JSON.stringify([versions, ...states.map((state) => state.digest)]);
  const newest = states.toSorted((a, b) => Number(b.newestNs - a.newestNs))[0];
  return { digest: toHex(digest('sha256', utf8(text))), newestNs: newest?.newestNs ?? 0n };
}

/** A folder that is moved as a whole keeps the files in it as they are. */
function outputState(path: string): string {
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? 'nothing' : [stats.size, stats.ino, stats.mtimeNs, stats.ctimeNs].join(' ');
}

function readStamp(path: string): Stamp | undefined {
  try {
    const stats = lstatSync(path);
    if (!stats.isFile() || stats.size > MAX_STAMP_BYTES) return undefined;
    const stamp: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isStamp(stamp) ? stamp : undefined;
  } catch {
    return undefined;
  }
}

function isStamp(value: unknown): value is Stamp {
  const stamp = value as Stamp | null;
  if (typeof stamp !== 'object' || stamp === null || stamp.form !== FORM) return false;
  const { recipe, program, asked, inputs, outputs } = stamp;
  const isWhole = typeof recipe === 'string' && typeof program === 'string' && Array.isArray(asked);
  return isWhole && [asked, inputs, outputs].every(isTexts);
}

const isTexts = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
