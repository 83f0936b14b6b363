// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path';
import { parseUtf8, TextError, toHex } from '@vouchsafe/base';
import { type BuildOptions, buildKataImage, buildWhenChanged, parseRecipe, type Recipe } from '@vouchsafe/image';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { readSmallFile } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface BuildCommandOptions {
  readonly output: string;
  readonly set?: ReadonlyMap<string, string>;
  readonly force?: true;
  readonly rebuild?: true;
}

function collectSettings(text: string, earlier: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const [, key, value] = /^([a-z][a-z-]*(?:\.[a-z-]+)*)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('Expected KEY=VALUE, as version=1.2.0.');
  return new Map([...earlier, [key, value]]);
}

export const build: Verb = {
  define(command, session) {
    command
      .description(
        'Builds a disk image, its unified kernel image, and a signed manifest of all that it will put into PCRs, from a recipe.',
      )
      .argument('<RECIPE>', 'YAML; image init writes a first one')
      .option('-o, --output <folder>', 'where the files go', '.')
      .option('--set <key=value>', 'stands in for a member of the recipe; may be repeated', collectSettings)
      .option('--force', 'replace files that exist; where nothing has changed there is nothing to replace')
      .option('--rebuild', 'build even where nothing has changed; with --force')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe image build recipe.yaml -o out --set version=1.2.0')
      .action((recipe: string, options: BuildCommandOptions) => run(session, recipe, options));
  },
};

async function run(session: Session, path: string, options: BuildCommandOptions): Promise<void> {
  if (path === '-') throw new UsageError('a recipe is a file: its paths are relative to its folder');
  const recipe = parseRecipe(readText(path), path, options.set);
  session.whenInterrupted = 'what was not whole is gone';
  const place = {
    recipeFolder: dirname(path),
    outputFolder: options.output,
    force: options.force ?? false,
    rebuild: options.rebuild ?? false,
    ...session.work,
  };
  if (recipe.profile === 'kata') return buildGuest(session, recipe, place);
  const built = await buildWhenChanged(recipe, place);
  const { diskPath, ukiPath, manifestPath, partPaths, packageCount, sizesPath, diskBytes } = built;
  for (const note of built.notes) session.note(note);
  const rootHash = toHex(built.rootHash);
  session.answer(
    [
      `${recipe.name} ${recipe.version}${built.wasUnchanged ? ': nothing has changed since it was built' : ''}`,
      `  disk      ${diskPath} (${diskBytes} octets)`,
      `  image     ${ukiPath}`,
      `  manifest  ${manifestPath}`,
      ...partPaths.map((path) => `  beside it ${path}`),
      `  sizes     ${sizesPath}`,
      `  packages  ${packageCount === 0 ? 'no database of a package manager' : packageCount}`,
      `  root hash ${rootHash}`,
    ].join('\n'),
    {
      name: recipe.name,
      version: recipe.version,
      diskPath,
      ukiPath,
      manifestPath,
      partPaths,
      sizesPath,
      packageCount,
      diskBytes,
      rootHash,
      notes: built.notes,
      wasUnchanged: built.wasUnchanged,
    },
  );
}

async function buildGuest(session: Session, recipe: Recipe, place: BuildOptions): Promise<void> {
  const { rootHash, ...built } = await buildKataImage(recipe, place);
  const { name, version } = recipe;
  session.answer(
    [
      `${name} ${version}, for a confidential guest`,
      `  disk         ${built.diskPath} (${built.diskBytes} octets)`,
      `  kernel       ${built.kernelPath}`,
      `  initrd       ${built.initrdPath}`,
      `  command line ${built.commandLinePath}`,
      `  verity       ${built.verityPath}`,
      `  root hash    ${toHex(rootHash)}`,
    ].join('\n'),
    { name, version, ...built, rootHash: toHex(rootHash) },
  );
}

function readText(path: string): string {
  try {
    return parseUtf8(readSmallFile(path));
  } catch (cause) {
    if (cause instanceof TextError) throw new UsageError(`${path}: expected a recipe in UTF-8`, { cause });
    throw cause;
  }
}
