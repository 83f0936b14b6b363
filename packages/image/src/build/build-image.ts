// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type LongWork, toHex, utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource, readBytes } from '@vouchsafe/bytes';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { digest, startDigest } from '@vouchsafe/crypto';
import { architecturePartitionType, commonPartitionType, type FatMember, type TreeEntry } from '@vouchsafe/disk';
import {
  type Bank,
  encodeFileList,
  type ListedFile,
  type Manifest,
  type ManifestArtefact,
  type ManifestPart,
  signManifest,
} from '@vouchsafe/manifest';
import type { FirmwareVariable } from '@vouchsafe/measure';
import { ESP_PATH } from '@vouchsafe/pe';
import type { Signer } from '@vouchsafe/pki';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import { openBootDisk } from '../boot/boot-disk.ts';
import { type BootManifest, makeBootManifest } from '../boot/boot-manifest.ts';
import { keyVariables } from '../boot/key-variables.ts';
import type { DdiPartition, RootHashes } from '../ddi/content.ts';
import { writeDdi } from '../ddi/write-ddi.ts';
import { ImageError } from '../error.ts';
import { makeInitrd, VIRTUAL_MACHINE_MODULES } from '../initrd/make-initrd.ts';
import { type OpenKernel, openKernel } from '../recipe/open-kernel.ts';
import { openRoot } from '../recipe/open-root.ts';
import type { Recipe } from '../recipe/recipe.ts';
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
const DEFAULT_BUSYBOX = '/bin/busybox';
const DEFAULT_DMSETUP = '/sbin/dmsetup';
const MATCH_KEY = 'root';

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
  const keys = await openKeys(at(recipe.keys));
  step('making the initrd', 1);
  const initrds = initrdsOf(recipe, kernel, at, open);
  const { banks } = recipe;
  const contents = {
    linux: kernel.image,
    initrds,
    osrel: osReleaseOf(entries, recipe),
    uname: utf8(kernel.version),
  };
  const stub = open(recipe.stub ?? DEFAULT_STUB);
  const ukiOf = async (rootHash: Uint8Array): Promise<Uint8Array> => {
    const cmdline = utf8(commandLine(recipe, rootHash));
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
      partitions: partitionsOf(members, entries),
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
  const { manifest, notes } = manifestOf(recipe, names, { uki, banks, part: list.part, variables });
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

interface ImageKeys {
  readonly db: Signer;
  readonly verity: Signer;
  readonly manifest: Signer;
  /** As a signer of each bank's hash that policies are signed in. */
  readonly pcr: ReadonlyMap<Bank, Signer>;
}

/** A folder of `keys generate`. @throws {PkiError} */
async function openKeys(folder: string): Promise<ImageKeys> {
  const signer = (name: string, withCertificate = true): Promise<Signer> =>
    openKeyFileSigner({
      keyPath: join(folder, `${name}.key`),
      ...(withCertificate ? { certificatePath: join(folder, `${name}.crt`) } : {}),
    });
  return {
    db: await signer('db'),
    verity: await signer('verity'),
    manifest: await signer('manifest', false),
    pcr: new Map([['sha256', await signer('pcr', false)]]),
  };
}

function initrdsOf(
  { initrd }: Recipe,
  kernel: OpenKernel,
  at: (path: string) => string,
  open: (path: string) => ByteSource,
): ByteSource[] {
  if (initrd.kind === 'files') return initrd.paths.map(open);
  const made = makeInitrd({
    modulesRoot: kernel.modules,
    modules: initrd.modules ?? VIRTUAL_MACHINE_MODULES,
    systemRoot: '/',
    busybox: at(initrd.busybox ?? DEFAULT_BUSYBOX),
    dmsetup: at(initrd.dmsetup ?? DEFAULT_DMSETUP),
  });
  return [memorySource(made, 'initrd')];
}

/** What the root hash is said in: everything else of the command line is the recipe's. */
function commandLine(recipe: Recipe, rootHash: Uint8Array): string {
  return [`roothash=${toHex(rootHash)}`, recipe.commandLine].filter((part) => part !== '').join(' ');
}

const MAX_OS_RELEASE_BYTES = 64 * 1024;

/** The root's own, so that what is shown at boot is what is booted. os-release(5). */
function osReleaseOf(entries: readonly TreeEntry[], { name, version }: Recipe): Uint8Array {
  for (const path of ['usr/lib/os-release', 'etc/os-release']) {
    const found = entries.find((entry) => entry.kind !== 'hardlink' && entry.path === path);
    if (found?.kind !== 'file') continue;
    if (found.content.size > MAX_OS_RELEASE_BYTES) {
      throw new ImageError('recipe_invalid', `${path}: expected at most ${MAX_OS_RELEASE_BYTES} octets`);
    }
    return readBytes(found.content, 0, found.content.size);
  }
  return utf8(`ID=${name.toLowerCase()}\nVERSION_ID=${version}\nPRETTY_NAME="${name} ${version}"\n`);
}

/** Boot Loader Specification, type 2: the loader finds what lies in EFI/Linux. */
function espMembers(recipe: Recipe, uki: Uint8Array, loader: Uint8Array | undefined): FatMember[] {
  const image = memorySource(uki, 'UKI');
  if (loader === undefined) return [{ path: 'EFI/BOOT/BOOTX64.EFI', content: image }];
  const name = `${recipe.name}_${recipe.version}.efi`;
  return [
    { path: 'EFI/BOOT/BOOTX64.EFI', content: memorySource(loader, 'systemd-boot') },
    { path: 'EFI/systemd/systemd-bootx64.efi', content: memorySource(loader, 'systemd-boot') },
    { path: `EFI/Linux/${name}`, content: image },
    { path: ESP_PATH.loaderConf.replace(/^\//, ''), content: memorySource(utf8('timeout 0\n'), 'loader.conf') },
    { path: 'loader/entries.srel', content: memorySource(utf8('type1\n'), 'entries.srel') },
  ];
}

function partitionsOf(
  members: (hashes: RootHashes) => Promise<readonly FatMember[]>,
  tree: readonly TreeEntry[],
): DdiPartition[] {
  const type = (name: 'root' | 'root-verity' | 'root-verity-sig'): string => architecturePartitionType(name, 'x86-64');
  const verity = (role: 'data' | 'hash' | 'signature') => ({ role, matchKey: MATCH_KEY });
  return [
    {
      name: 'esp',
      typeUuid: commonPartitionType('esp'),
      label: 'esp',
      content: { kind: 'vfat', members, label: 'ESP' },
    },
    {
      name: 'root',
      typeUuid: type('root'),
      label: 'root-x86-64',
      verity: verity('data'),
      content: { kind: 'erofs', tree },
    },
    { name: 'root-verity', typeUuid: type('root-verity'), label: 'root-x86-64-verity', verity: verity('hash') },
    {
      name: 'root-verity-sig',
      typeUuid: type('root-verity-sig'),
      label: 'root-x86-64-verity-sig',
      verity: verity('signature'),
    },
  ];
}

/** Each image name has its own UUIDs, the same in every version: slots of an update are told apart by the root hash. */
function seedOf(name: string): string {
  const hex = toHex(digest('sha256', utf8(`vouchsafe image ${name}`)).subarray(0, 16));
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function outputNames({ name, version }: Recipe, folder: string) {
  const base = join(folder, `${name}_${version}`);
  return {
    disk: `${base}.raw`,
    uki: `${base}.efi`,
    manifest: `${base}.manifest.json`,
    fileList: `${base}.files.json`,
  };
}

/** Before hours of work rather than after them; the file itself is made exclusively. */
function requireFree(path: string, force: boolean): void {
  using probe = OutputFile.create(path, { force });
  probe.discard();
}

function writeSmall(path: string, bytes: Uint8Array, force = false): void {
  using file = OutputFile.create(path, { force });
  file.write(0, bytes);
  file.commit();
}

function listedFiles(entries: readonly TreeEntry[]): ListedFile[] {
  const files = new Map<string, ListedFile>();
  for (const entry of entries) {
    if (entry.kind !== 'file') continue;
    files.set(entry.path, {
      path: entry.path,
      sizeBytes: entry.content.size,
      sha256: toHex(digestOf(entry.content)),
      isExecutable: (entry.mode & 0o111) !== 0,
    });
  }
  for (const entry of entries) {
    const target = entry.kind === 'hardlink' ? files.get(entry.target) : undefined;
    if (target !== undefined) files.set(entry.path, { ...target, path: entry.path });
  }
  return [...files.values()];
}

const CHUNK_BYTES = 1024 * 1024;

function digestOf(source: ByteSource): Uint8Array {
  const hash = startDigest('sha256');
  for (let offset = 0; offset < source.size; offset += CHUNK_BYTES) {
    hash.update(readBytes(source, offset, Math.min(CHUNK_BYTES, source.size - offset)));
  }
  return hash.digest();
}

interface Measured {
  readonly uki: Uint8Array;
  readonly banks: readonly Bank[];
  readonly part: ManifestPart;
  readonly variables: readonly FirmwareVariable[];
}

/**
 * What the image puts into PCRs, with Secure Boot and without, on a machine that has just the recipe's keys enrolled (which
 * PCR 7 is about); what else depends on the machine is left out.
 */
function manifestOf(
  recipe: Recipe,
  names: ReturnType<typeof outputNames>,
  { uki, banks, part, variables }: Measured,
): BootManifest {
  using disk = FileSource.open(names.disk);
  const { artefacts } = openBootDisk(disk);
  const artefact = (kind: ManifestArtefact['kind'], path: string, source: ByteSource): ManifestArtefact => ({
    kind,
    path: basename(path),
    sizeBytes: source.size,
    sha256: toHex(digestOf(source)),
  });
  return makeBootManifest({
    name: recipe.name,
    version: recipe.version,
    banks,
    artefacts: { ...artefacts, variables },
    circumstances: { phases: recipe.phases },
    files: [artefact('disk', names.disk, disk), artefact('uki', names.uki, memorySource(uki, names.uki))],
    parts: [part],
  });
}
