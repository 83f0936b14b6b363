// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type LongWork, utf8 } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import type { FatMember } from '@vouchsafe/disk';
import { encodeFileList, type Manifest, signManifest } from '@vouchsafe/manifest';
import { keyVariables } from '../boot/key-variables.ts';
import type { RootHashes } from '../ddi/content.ts';
import { writeDdi } from '../ddi/write-ddi.ts';
import { openKernel } from '../recipe/open-kernel.ts';
import { openRoot } from '../recipe/open-root.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { espMembers } from './esp-members.ts';
import { imageCommandLine } from './image-command-line.ts';
import { openImageKeys } from './image-keys.ts';
import { imageManifest } from './image-manifest.ts';
import { imagePartitions, MATCH_KEY, seedOf } from './image-partitions.ts';
import { listedFiles } from './listed-files.ts';
import { openInitrds } from './open-initrds.ts';
import { osReleaseOf } from './os-release.ts';
import { outputNames, requireFree, writeSmall } from './output-files.ts';
import { policyContents } from './policy-contents.ts';
import { signedCopy } from './signed-copy.ts';
import { makeUki } from './signed-uki.ts';

/** What was built, and where. */
export interface BuiltImage {
  readonly diskPath: string;
  readonly ukiPath: string;
  /** A signed envelope (DSSE). */
  readonly manifestPath: string;
  readonly fileListPath: string;
  readonly rootHash: Uint8Array;
  readonly diskBytes: number;
  readonly manifest: Manifest;
  /** What the manifest says nothing of, and why. */
  readonly notes: readonly string[];
}

export interface BuildOptions extends LongWork {
  /** Folder of the recipe, which its paths are relative to. */
  readonly recipeFolder: string;
  readonly outputFolder: string;
  readonly force?: boolean;
}

const DEFAULT_STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';

/**
 * From a recipe to a disk image, its unified kernel image, and a signed manifest of all that will be measured. The same
 * recipe and inputs give the same bytes. What exists is kept unless `force` is set; each file appears when it is whole.
 * @throws {ImageError} and what the inputs and formats refuse.
 */
export async function buildImage(recipe: Recipe, options: BuildOptions): Promise<BuiltImage> {
  const at = (path: string): string => resolve(options.recipeFolder, path);
  const step = (phase: string, done: number): void => {
    options.signal?.throwIfAborted();
    options.onProgress?.({ phase, done, total: STEPS });
  };
  using files = new DisposableStack();
  const open = (path: string): FileSource => files.use(FileSource.open(at(path)));
  step('reading the root file system', 0);
  const { recipeFolder: folder } = options;
  const { timestampSeconds } = recipe;
  const work = options.signal === undefined ? {} : { signal: options.signal };
  const root = files.use(
    await openRoot({ input: recipe.root, rules: recipe.rules, folder, timestampSeconds, ...work }),
  );
  const { entries } = root;
  const kernel = files.use(await openKernel(recipe.kernel, folder, work));
  const keys = await openImageKeys(at(recipe.keys));
  step('making the initrd', 1);
  const initrds = openInitrds(recipe, kernel, at, open);
  const { banks } = recipe;
  const contents = {
    linux: kernel.image,
    initrds,
    osrel: osReleaseOf(entries, recipe),
    uname: utf8(kernel.version),
  };
  const stub = open(recipe.stub ?? DEFAULT_STUB);
  const ukiOf = async (rootHash: Uint8Array): Promise<Uint8Array> => {
    const cmdline = utf8(imageCommandLine(recipe, rootHash));
    const signed = await policyContents(stub, { ...contents, cmdline }, keys.pcr, recipe.phases);
    return makeUki(stub, signed, keys.db);
  };
  const names = outputNames(recipe, options.outputFolder);
  mkdirSync(options.outputFolder, { recursive: true });
  for (const path of Object.values(names)) requireFree(path, options.force ?? false);
  let uki: Uint8Array = new Uint8Array();
  const loader = recipe.loader === undefined ? undefined : await signedCopy(open(recipe.loader), keys.db);
  const members = async (hashes: RootHashes): Promise<readonly FatMember[]> => {
    uki = await ukiOf(hashes.get(MATCH_KEY) as Uint8Array);
    return espMembers(recipe, uki, loader);
  };
  step('writing the disk', 2);
  const built = await writeDdi(
    {
      partitions: imagePartitions(members, entries),
      seedUuid: recipe.seed ?? seedOf(recipe.name),
      timestampSeconds,
      signer: keys.verity,
      path: names.disk,
      force: options.force ?? false,
    },
    work,
  );
  const rootHash = built.rootHashes.get(MATCH_KEY) as Uint8Array;
  writeSmall(names.uki, uki, options.force);
  step('predicting what it will measure', 3);
  const list = encodeFileList({ of: 'root', files: listedFiles(entries) }, basename(names.fileList));
  writeSmall(names.fileList, list.bytes, options.force);
  const variables = keyVariables(at(recipe.keys));
  const { manifest, notes } = imageManifest(recipe, names, { uki, banks, part: list.part, variables });
  step('signing the manifest', 4);
  writeSmall(names.manifest, await signManifest(manifest, keys.manifest), options.force);
  step('done', STEPS);
  return {
    diskPath: names.disk,
    ukiPath: names.uki,
    manifestPath: names.manifest,
    fileListPath: names.fileList,
    rootHash,
    diskBytes: built.sizeBytes,
    manifest,
    notes,
  };
}

const STEPS = 5;
