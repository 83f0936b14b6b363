// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type LongWork, toHex, utf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { requireGpt } from '@vouchsafe/disk';
import { formatCcRootfsVerity } from '@vouchsafe/verity';
import { findVeritySets } from '../ddi/verity-sets.ts';
import { writeDdi } from '../ddi/write-ddi.ts';
import { openKernel } from '../recipe/open-kernel.ts';
import { openRoot } from '../recipe/open-root.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { BuildOptions } from './build-image.ts';
import { openImageKeys } from './image-keys.ts';
import { seedOf, verityPartitions } from './image-partitions.ts';
import { openInitrds } from './open-initrds.ts';
import { requireFree, writeCopy, writeSmall } from './output-files.ts';

/** What a runtime boots a confidential guest from, and where it is. */
export interface BuiltKataImage {
  /** Root, hash tree and signature of the root hash; the first two partitions are what Kata Containers expects there. */
  readonly diskPath: string;
  readonly kernelPath: string;
  readonly initrdPath: string;
  /** One line; the platform measures it with kernel and initrd, and through it the root. */
  readonly commandLinePath: string;
  /** JSON: root hash, salt and sizes of the tree. */
  readonly verityPath: string;
  readonly rootHash: Uint8Array;
  readonly diskBytes: number;
}

/**
 * From a recipe to a guest for Confidential Containers: no firmware and no boot loader come between, so that kernel, initrd and
 * command line are what the platform launches and measures. The same recipe and inputs give the same bytes.
 * @throws {ImageError} and what the inputs and formats refuse.
 */
export async function buildKataImage(recipe: Recipe, options: BuildOptions): Promise<BuiltKataImage> {
  const { recipeFolder: folder, outputFolder, force = false, signal, onProgress } = options;
  const at = (path: string): string => resolve(folder, path);
  const work: LongWork = { signal, onProgress };
  using files = new DisposableStack();
  const open = (path: string): FileSource => files.use(FileSource.open(at(path)));
  const names = namesOf(recipe, outputFolder);
  mkdirSync(outputFolder, { recursive: true });
  for (const path of Object.values(names)) requireFree(path, force);
  const { timestampSeconds } = recipe;
  const root = files.use(
    await openRoot({ input: recipe.root, rules: recipe.rules, folder, timestampSeconds, ...work }),
  );
  const kernel = files.use(await openKernel(recipe.kernel, folder, work));
  const keys = await openImageKeys(at(recipe.keys));
  const [initrd] = await openInitrds(recipe, kernel, at, open);
  const built = await writeDdi(
    {
      partitions: verityPartitions(recipe, root.entries),
      seedUuid: recipe.seed ?? seedOf(recipe.name),
      timestampSeconds,
      signer: keys.verity,
      path: names.diskPath,
      force,
    },
    work,
  );
  writeCopy(names.kernelPath, kernel.image, force);
  writeCopy(names.initrdPath, initrd as ByteSource, force);
  const { rootHash, commandLine, parameters } = describeRoot(names.diskPath, recipe);
  writeSmall(names.commandLinePath, utf8(`${commandLine}\n`), force);
  writeSmall(names.verityPath, utf8(`${JSON.stringify(parameters, undefined, 2)}\n`), force);
  return { ...names, rootHash, diskBytes: built.sizeBytes };
}

function namesOf({ name, version }: Recipe, folder: string) {
  const base = join(folder, `${name}_${version}`);
  return {
    diskPath: `${base}.raw`,
    kernelPath: `${base}.vmlinuz`,
    initrdPath: `${base}.initrd`,
    commandLinePath: `${base}.cmdline`,
    verityPath: `${base}.verity.json`,
  };
}

function describeRoot(diskPath: string, recipe: Recipe) {
  using disk = FileSource.open(diskPath);
  const { sets } = findVeritySets(disk, requireGpt(disk));
  const [set] = sets;
  if (set === undefined) throw new Error(`${diskPath}: the disk was written without its tree`);
  const { rootHash, header } = set;
  const place = { offset: 0, hasSuperblock: true };
  const words = formatCcRootfsVerity({ parameters: header, place, rootHash });
  return {
    rootHash,
    commandLine: [words, recipe.commandLine].filter((part) => part !== '').join(' '),
    parameters: {
      rootHash: toHex(rootHash),
      salt: toHex(header.salt),
      algorithm: header.algorithm,
      dataBlocks: header.dataBlocks,
      dataBlockSize: header.dataBlockSize,
      hashBlockSize: header.hashBlockSize,
    },
  };
}
