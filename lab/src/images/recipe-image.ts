// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readBytes } from '@vouchsafe/bytes';
import { type Manifest, verifyManifest } from '@vouchsafe/manifest';
import { parsePem } from '@vouchsafe/pki';
import { LabError } from '../error.ts';
import { debianCloudKernel } from './debian-packages.ts';
import { guestRoot } from './guest-root.ts';
import { runVouchsafe } from './vouchsafe-command.ts';

/** An image that `image build` has made of a recipe. */
export interface RecipeImage {
  readonly disk: string;
  readonly uki: string;
  readonly manifestPath: string;
  /** Verified with the recipe's own key, and written before anything is booted. */
  readonly manifest: Manifest;
}

/** Lines of a recipe that are not the usual ones: members by name, each on its line or lines. */
export type RecipeMembers = Readonly<Record<string, string>>;

/**
 * Writes a recipe for a root that reports, and builds it with the command, as whoever follows the documentation does.
 * @param keys a folder of `keys generate`. @param members in place of, or besides, the usual ones.
 * @throws {LabError} 'tool_failed', 'input_missing'.
 */
export function buildRecipeImage(folder: string, keys: string, members: RecipeMembers = {}): RecipeImage {
  mkdirSync(folder, { recursive: true });
  const usual: RecipeMembers = {
    name: 'lab',
    version: '1.2.3',
    ...(members['root'] === undefined ? { root: `{ folder: ${writeGuestRoot(join(folder, 'root'))} }` } : {}),
    kernel: `{ folder: ${join(debianCloudKernel().modulesRoot, '../../..')} }`,
    'command-line': 'console=ttyS0 panic=-1 quiet',
    keys,
  };
  const all = { ...usual, ...members };
  const recipe = join(folder, 'recipe.yaml');
  writeFileSync(
    recipe,
    Object.entries(all)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  );
  const out = join(folder, 'out');
  runVouchsafe('image', 'build', recipe, '-o', out);
  const base = join(out, `${all['name']}_${all['version']}`);
  const manifestPath = `${base}.manifest.json`;
  const [key] = parsePem(readFileSync(join(keys, 'manifest.pub')), 'PUBLIC KEY');
  if (key === undefined)
    throw new LabError('input_missing', `${keys}: expected a public key in manifest.pub, found none`);
  const { manifest } = verifyManifest(readFileSync(manifestPath), [key.bytes]);
  return { disk: `${base}.raw`, uki: `${base}.efi`, manifestPath, manifest };
}

/** The guest's tree as a folder. @returns the folder. */
export function writeGuestRoot(folder: string): string {
  for (const entry of [...guestRoot()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const path = join(folder, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if (entry.kind === 'directory') mkdirSync(path, { recursive: true });
    else if (entry.kind === 'symlink') symlinkSync(entry.target, path);
    else if (entry.kind === 'file') {
      writeFileSync(path, readBytes(entry.content, 0, entry.content.size), { mode: entry.mode });
    }
  }
  return folder;
}
