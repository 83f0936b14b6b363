// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { type LongWork, utf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import type { FatMember, GptTable } from '@vouchsafe/disk';
import { SpoolFile } from '@vouchsafe/disk/node';
import { type Manifest, signManifest } from '@vouchsafe/manifest';
import type { UkiContents } from '@vouchsafe/pe';
import { openBootDisk } from '../boot/boot-disk.ts';
import { keyVariables } from '../boot/key-variables.ts';
import type { RootHashes } from '../ddi/content.ts';
import { writeDdi } from '../ddi/write-ddi.ts';
import { givenPackages, withGiven } from '../packages/given-packages.ts';
import { readInstalledPackages } from '../packages/read-installed-packages.ts';
import { openKernel } from '../recipe/open-kernel.ts';
import { openRoot } from '../recipe/open-root.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { requireBudgets } from '../report/check-budgets.ts';
import { sizeReport } from '../report/size-report.ts';
import { treemapSvg } from '../report/treemap-svg.ts';
import { DigestThread } from './digest-thread.ts';
import { espMembers } from './esp-members.ts';
import { hermeticUsr } from './hermetic-usr.ts';
import { imageCommandLine } from './image-command-line.ts';
import { openImageKeys } from './image-keys.ts';
import { imageManifest } from './image-manifest.ts';
import { imagePartitions, rootBytes, seedOf } from './image-partitions.ts';
import { type ImagePart, imageParts } from './image-parts.ts';
import { openInitrds } from './open-initrds.ts';
import { osReleaseOf } from './os-release.ts';
import { outputNames, requireFree, writeCopy, writeSmall } from './output-files.ts';
import { plannedPolicyContents, policyContents } from './policy-contents.ts';
import { signedCopy } from './signed-copy.ts';
import { plannedUkiBytes, writeUki } from './signed-uki.ts';
import { BuildInputs } from './stamp/build-inputs.ts';

/** What was built, and where. */
export interface BuiltImage {
  readonly diskPath: string;
  readonly ukiPath: string;
  /** A signed envelope (DSSE). */
  readonly manifestPath: string;
  /** Of what the manifest names beside it: lists of files, packages. */
  readonly partPaths: readonly string[];
  /** A picture of what takes the space: SVG. */
  readonly sizesPath: string;
  /** Installed packages that are named. */
  readonly packageCount: number;
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
  /** Replaces files that exist. */
  readonly force?: boolean;
  /** Is told what the image is made of. */
  readonly inputs?: BuildInputs;
}

/** By which a kernel and an initrd grow between versions. */
const SLACK_BYTES = 16 * 1024 * 1024;
/** Stands for a root hash while nothing but its length matters. */
const UNKNOWN_ROOT_HASH = new Uint8Array(32);
const DEFAULT_STUB = '/usr/lib/systemd/boot/efi/linuxx64.efi.stub';

/**
 * From a recipe to a disk image, its unified kernel image, and a signed manifest of all that will be measured. The same
 * recipe and inputs give the same bytes. What exists is kept unless `force` is set; each file appears when it is whole.
 * @throws {ImageError} and what the inputs and formats refuse.
 */
export async function buildImage(recipe: Recipe, options: BuildOptions): Promise<BuiltImage> {
  const { recipeFolder: folder, outputFolder, force = false, signal, onProgress } = options;
  const inputs = options.inputs ?? new BuildInputs(folder);
  const at = (path: string): string => inputs.at(path);
  const work: LongWork = { signal, onProgress };
  using files = new DisposableStack();
  await using digests = new DigestThread();
  const open = (path: string): FileSource => files.use(FileSource.open(at(path)));
  const names = outputNames(recipe, outputFolder);
  mkdirSync(outputFolder, { recursive: true });
  for (const path of Object.values(names)) requireFree(path, force);
  const { timestampSeconds, banks } = recipe;
  const root = files.use(
    await openRoot({ input: recipe.root, rules: recipe.rules, folder, timestampSeconds, ...work }),
  );
  const { entries, given } = root;
  const matchKey = recipe.layout.verity;
  const tree = matchKey === 'usr' ? hermeticUsr(entries, timestampSeconds) : entries;
  // While they are read to be written: what has changed in between is refused there.
  const fileDigests = digests.sha256OfFiles(tree.flatMap((entry) => (entry.kind === 'file' ? [entry.content] : [])));
  const kernel = files.use(await openKernel(recipe.kernel, folder, work));
  const keys = await openImageKeys(at(recipe.keys));
  const initrds = await openInitrds(recipe, kernel, at, open);
  const osRelease = osReleaseOf(entries, recipe);
  const contents = { linux: kernel.image, initrds, osrel: osRelease, uname: utf8(kernel.version) };
  const stub = open(recipe.stub ?? DEFAULT_STUB);
  const loader = recipe.loader === undefined ? undefined : await signedCopy(open(recipe.loader), keys.db);
  const listed = readInstalledPackages(given);
  const installed = { ...listed, packages: withGiven(listed.packages, await givenPackages(recipe, folder)) };
  const initrdBytes = initrds.reduce((sum, { size }) => sum + size, 0);
  const { sysexts, confexts, credentials } = recipe.companions;
  const companions = [...sysexts, ...confexts, ...credentials].map(open);
  // The next version's UKI is about as large.
  const ukiBytes = SLACK_BYTES + stub.size + kernel.image.size + initrdBytes;
  let uki: ByteSource | undefined;
  const policies = { signers: keys.pcr, phases: recipe.policyPhases };
  const contentsFor = (rootHash: Uint8Array): UkiContents => ({
    ...contents,
    cmdline: utf8(imageCommandLine(recipe, rootHash)),
  });
  const plannedMembers = async (): Promise<readonly FatMember[]> => {
    const planned = await plannedPolicyContents(stub, contentsFor(UNKNOWN_ROOT_HASH), policies);
    const size = await plannedUkiBytes(stub, planned, keys.db);
    return espMembers(recipe, unwrittenSource(size, 'UKI'), loader, companions);
  };
  const members = async (hashes: RootHashes): Promise<readonly FatMember[]> => {
    const ukiContents = contentsFor(hashes.get(matchKey) as Uint8Array);
    const signedContents = await policyContents(stub, ukiContents, policies, outputFolder);
    const spool = files.use(SpoolFile.create('UKI', outputFolder));
    await writeUki(stub, signedContents, keys.db, spool);
    uki = spool.source();
    return espMembers(recipe, uki, loader, companions);
  };
  let finished: FinishedImage | undefined;
  /** All that may be refused comes before the disk has its name. */
  const finish = async (disk: FileSource, table: GptTable): Promise<void> => {
    if (uki === undefined) throw new Error('the disk was written without its UKI');
    // Nothing reads the disk any more when this is left.
    await using thread = digests;
    // It takes as long as all else that is left to do.
    const diskSha256 = thread.sha256(disk);
    // What it throws is thrown where it is waited for, if nothing else is before.
    diskSha256.catch(() => undefined);
    const report = sizeReport(disk, { packages: installed.packages });
    const sizes = { diskBytes: disk.size, rootBytes: rootBytes(table), ukiBytes: uki.size, initrdBytes };
    requireBudgets(recipe.budgets, sizes, report);
    const mount = matchKey === 'usr' ? '/usr' : '/';
    const { artefacts: boots } = openBootDisk(disk);
    const request = { entries: tree, digests: await fileDigests, installed, initrds, boots, osRelease, mount } as const;
    const { parts, notes } = await imageParts(recipe, names, request, work);
    const variables = keyVariables(at(recipe.keys));
    const measured = {
      disk,
      diskSha256,
      uki,
      banks,
      parts: parts.map(({ part }) => part),
      variables,
    };
    const predicted = await imageManifest(recipe, names, measured);
    finished = {
      parts,
      manifest: predicted.manifest,
      envelope: await signManifest(predicted.manifest, keys.manifest),
      picture: utf8(treemapSvg(report.whole)),
      notes: [...notes, ...predicted.notes],
    };
  };
  const built = await writeDdi(
    {
      partitions: imagePartitions({ recipe, members, plannedMembers, tree, ukiBytes }),
      seedUuid: recipe.seed ?? seedOf(recipe.name),
      timestampSeconds,
      signer: keys.verity,
      path: names.disk,
      force,
      check: finish,
    },
    work,
  );
  if (finished === undefined || uki === undefined) throw new Error('the disk was not looked at');
  const { parts, manifest, envelope, picture, notes } = finished as FinishedImage;
  writeCopy(names.uki, uki, force);
  for (const { path, bytes } of parts) writeSmall(path, bytes, force);
  writeSmall(names.sizes, picture, force);
  writeSmall(names.manifest, envelope, force);
  return {
    diskPath: names.disk,
    ukiPath: names.uki,
    manifestPath: names.manifest,
    partPaths: parts.map(({ path }) => path),
    packageCount: installed.packages.length,
    sizesPath: names.sizes,
    rootHash: built.rootHashes.get(matchKey) as Uint8Array,
    diskBytes: built.sizeBytes,
    manifest,
    notes,
  };
}

/** Stands for a file that has a size and no content yet. */
function unwrittenSource(size: number, label: string): ByteSource {
  return {
    size,
    label,
    read: () => {
      throw new Error(`${label}: it was read before it was written`);
    },
  };
}

/** What goes beside the disk. */
interface FinishedImage {
  readonly parts: readonly ImagePart[];
  readonly manifest: Manifest;
  readonly envelope: Uint8Array;
  readonly picture: Uint8Array;
  readonly notes: readonly string[];
}
