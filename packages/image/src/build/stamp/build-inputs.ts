// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { programWithLibraries } from '../../initrd/program.ts';
import type { Recipe } from '../../recipe/recipe.ts';

/** Members whose texts are paths in the image, and never on this machine. */
const OF_THE_IMAGE = new Set(['rules', 'at']);
const MAX_PATH = 4096;

/**
 * The files and folders that an image is made of, collected as it is built: whatever is opened is asked for here first.
 */
export class BuildInputs {
  readonly #folder: string;
  readonly #paths = new Set<string>();

  constructor(recipeFolder: string) {
    this.#folder = recipeFolder;
  }

  /** The place of a path of the recipe, or of a default. */
  at(path: string): string {
    const place = resolve(this.#folder, path);
    this.#paths.add(place);
    return place;
  }

  get paths(): readonly string[] {
    return [...this.#paths].sort();
  }
}

/**
 * Everything in a recipe that is a path, or might be: what is there by the name of some other text is watched for nothing,
 * but what is a path is never missed.
 */
export function pathsIn(recipe: Recipe, recipeFolder: string): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      // No text is no path; it would be the folder of the recipe, with the outputs in it.
      if (value !== '' && value.length <= MAX_PATH && !value.includes('\0')) found.add(resolve(recipeFolder, value));
    } else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const [key, member] of Object.entries(value)) if (!OF_THE_IMAGE.has(key)) visit(member);
    }
  };
  visit(recipe);
  return [...found].filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined).sort();
}

/** The libraries of those that are programs, which the initrd has with them. */
export function librariesOf(paths: readonly string[]): string[] {
  const programs = paths.filter(isElfFile);
  const files = programs.flatMap((path) => programWithLibraries('/', path, 'program'));
  return [...new Set(files.map(({ from }) => from))].sort();
}

function isElfFile(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  using source = FileSource.open(path);
  return source.size >= 4 && Buffer.from(readBytes(source, 0, 4)).toString('latin1') === '\x7fELF';
}

/** The sources and other files of this program, and the versions of what it runs on, which all decide what it makes. */
export function programFiles(): { readonly paths: readonly string[]; readonly versions: string } {
  // This file is PACKAGES/image/src/build/stamp/build-inputs.ts.
  const packages = fileURLToPath(new URL('../../../../', import.meta.url));
  const members = readdirSync(packages).sort();
  const parts = ['src', 'assets', 'package.json'];
  return {
    paths: [
      ...members.flatMap((member) => parts.map((part) => join(packages, member, part))),
      join(dirname(packages), 'package-lock.json'),
    ],
    versions: JSON.stringify(process.versions),
  };
}
