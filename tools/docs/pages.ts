// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { attackPage, checkAttacks } from './attack-page.ts';
import { readAttackTests } from './attack-tests.ts';
import { ATTACKS, type Attack } from './attacks.ts';
import { errorPage } from './error-page.ts';
import { formatPage } from './format-page.ts';
import { FORMAT_PAGES, type FormatPage } from './formats.ts';

/** Each generated page, by its path from the root. */
async function generatePages(
  root: string,
  pages: readonly FormatPage[],
  attacks: readonly Attack[],
): Promise<Map<string, string>> {
  const texts = new Map([
    ['docs/errors.md', errorPage(root)],
    ['docs/security/attacks.md', attackPage(attacks, readAttackTests(root))],
  ]);
  for (const page of pages) {
    const text = await formatPage(root, page);
    if (text !== undefined) texts.set(`docs/formats/${page.page}`, text);
  }
  return texts;
}

/**
 * Findings as lines: pages that differ from what the sources say, are missing, or that nothing makes; and attacks that no test
 * carries out.
 */
export async function checkPages(
  root: string,
  pages: readonly FormatPage[] = FORMAT_PAGES,
  attacks: readonly Attack[] = ATTACKS,
): Promise<string[]> {
  const texts = await generatePages(root, pages, attacks);
  const findings = [
    ...strayPages(root, texts).map((path) => `${path}: nothing makes this page; remove it`),
    ...checkAttacks(attacks, readAttackTests(root)),
  ];
  for (const [path, text] of texts) {
    const file = join(root, path);
    const isSame = existsSync(file) && readFileSync(file, 'utf8') === text;
    if (!isSame) findings.push(`${path}: not what the sources say; run npm run docs`);
  }
  return findings;
}

/** Writes the pages and removes those that nothing makes; the paths it changed. */
export async function writePages(
  root: string,
  pages: readonly FormatPage[] = FORMAT_PAGES,
  attacks: readonly Attack[] = ATTACKS,
): Promise<string[]> {
  const texts = await generatePages(root, pages, attacks);
  const strays = strayPages(root, texts);
  for (const path of strays) rmSync(join(root, path));
  const changed = [...texts].filter(([path, text]) => {
    const file = join(root, path);
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return true;
  });
  return [...strays, ...changed.map(([path]) => path)];
}

function strayPages(root: string, texts: ReadonlyMap<string, string>): string[] {
  return globSync('docs/formats/*.md', { cwd: root }).filter((path) => !texts.has(path));
}
