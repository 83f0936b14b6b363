// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage, parseRecipe } from '@vouchsafe/image';

/** What `image build` makes of the recipe in a folder: FOLDER OUTPUT_FOLDER. */
async function buildRecipe(recipeFolder: string, outputFolder: string): Promise<void> {
  const recipe = parseRecipe(readFileSync(join(recipeFolder, 'recipe.yaml'), 'utf8'), 'recipe.yaml');
  await buildImage(recipe, { recipeFolder, outputFolder });
  process.stdout.write(`${JSON.stringify({ uid: process.getuid?.() })}\n`);
}

const [recipeFolder = '', outputFolder = ''] = process.argv.slice(2);
buildRecipe(recipeFolder, outputFolder).catch((error) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
