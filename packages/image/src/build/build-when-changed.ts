// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHex, toHex } from '@vouchsafe/base';
import { readUnverifiedManifest } from '@vouchsafe/manifest';
import type { Recipe } from '../recipe/recipe.ts';
import { type BuildOptions, type BuiltImage, buildImage } from './build-image.ts';
import { outputNames } from './output-files.ts';
import { BuildInputs } from './stamp/build-inputs.ts';
import { stampBuild, stampPath, unchangedBuild } from './stamp/build-stamp.ts';

export interface BuildWhenChangedOptions extends Omit<BuildOptions, 'inputs'> {
  /** Builds whatever is there; with `force`, since it would replace what it has made before. */
  readonly rebuild?: boolean;
}

export interface UpToDateImage extends BuiltImage {
  /** Nothing was done: the files are those of an earlier build of the same recipe and inputs. */
  readonly wasUnchanged: boolean;
}

/** What a stamp keeps of an answer: the rest is in the manifest, and in the names. */
interface KeptAnswer {
  readonly parts: readonly string[];
  readonly packageCount: number;
  readonly rootHash: string;
  readonly diskBytes: number;
  readonly notes: readonly string[];
}

/**
 * `buildImage`, unless the image is there and would become the same: then nothing is read but sizes and times, and nothing is
 * written. Whatever is not sure is built.
 * @throws as `buildImage`.
 */
export async function buildWhenChanged(recipe: Recipe, options: BuildWhenChangedOptions): Promise<UpToDateImage> {
  const { recipeFolder, outputFolder, rebuild = false, ...rest } = options;
  const startedNs = BigInt(Date.now()) * 1_000_000n;
  const names = outputNames(recipe, outputFolder);
  const path = stampPath(outputFolder, `${recipe.name}_${recipe.version}`);
  const request = { recipe, recipeFolder, outputFolder, path };
  const kept = rebuild ? undefined : (unchangedBuild(request) as KeptAnswer | undefined);
  if (kept !== undefined) {
    return {
      diskPath: names.disk,
      ukiPath: names.uki,
      manifestPath: names.manifest,
      sizesPath: names.sizes,
      partPaths: kept.parts.map((name) => join(outputFolder, name)),
      packageCount: kept.packageCount,
      rootHash: parseHex(kept.rootHash),
      diskBytes: kept.diskBytes,
      manifest: readUnverifiedManifest(readFileSync(names.manifest)),
      notes: kept.notes,
      wasUnchanged: true,
    };
  }
  const inputs = new BuildInputs(recipeFolder);
  const built = await buildImage(recipe, { ...rest, recipeFolder, outputFolder, inputs });
  const { diskPath, ukiPath, manifestPath, sizesPath, partPaths, packageCount, diskBytes, notes } = built;
  const answer: KeptAnswer = {
    parts: built.manifest.parts.map((part) => part.path),
    packageCount,
    rootHash: toHex(built.rootHash),
    diskBytes,
    notes,
  };
  const outputs = [diskPath, ukiPath, manifestPath, sizesPath, ...partPaths];
  await stampBuild(request, { inputs: inputs.paths, startedNs, outputs, answer });
  return { ...built, wasUnchanged: false };
}
