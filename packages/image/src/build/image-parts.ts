// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { LongWork } from '@vouchsafe/base';
import { parseUtf8, TextError } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { DiskError, parseReleaseFile, type TreeEntry } from '@vouchsafe/disk';
import { encodeFileList, type ManifestPart, partOf } from '@vouchsafe/manifest';
import { type BootArtefacts, stubFiles } from '@vouchsafe/measure';
import { CYCLONEDX_FORMAT, encodeCycloneDx } from '../packages/cyclonedx.ts';
import type { InstalledPackages } from '../packages/installed-package.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { listedFiles, listedInitrdFiles, listedStubFiles } from './listed-files.ts';
import type { OutputNames } from './output-files.ts';

/** What travels beside a manifest, which names it by its digest. */
export interface ImagePart {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly part: ManifestPart;
}

export interface ImageParts {
  readonly parts: readonly ImagePart[];
  /** What is not in them, and why. */
  readonly notes: readonly string[];
}

export interface PartsRequest {
  /** As it is in the image. */
  readonly entries: readonly TreeEntry[];
  /** Digests of contents of theirs, as far as they are known. */
  readonly digests: ReadonlyMap<ByteSource, string>;
  readonly installed: InstalledPackages;
  readonly initrds: readonly ByteSource[];
  /** What the disk boots: the UKI, and what lies around it. */
  readonly boots: BootArtefacts;
  readonly osRelease: Uint8Array;
  /** Where the running system has the tree; `/` unless given. */
  readonly mount?: '/' | '/usr';
}

/**
 * The lists of files of the root and of the initrd, and the packages in the root where a package manager tells of any.
 * @throws {ImageError} @throws {DiskError} @throws {ManifestError} @throws {BytesError}
 */
export async function imageParts(
  recipe: Recipe,
  names: OutputNames,
  { entries, digests, installed, initrds, boots, osRelease, mount = '/' }: PartsRequest,
  work: LongWork = {},
): Promise<ImageParts> {
  const notes: string[] = [];
  const parts: ImagePart[] = [];
  const addList = (of: string, path: string, files: Awaited<ReturnType<typeof listedFiles>>): void => {
    parts.push({ path, ...encodeFileList({ of, files }, basename(path)) });
  };
  addList(mount === '/' ? 'root' : 'usr', names.fileList, await listedFiles(entries, mount, work, digests));
  try {
    addList('initrd', names.initrdFileList, [
      ...(await listedInitrdFiles(initrds, work)),
      ...listedStubFiles(stubFiles(boots.uki, boots)),
    ]);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'compression_unsupported')) throw error;
    notes.push(`the files of the initrd are not listed: ${error.message}`);
  }
  notes.push(...installed.unread.map(({ path, reason }) => `packages are missing from the list: ${path}: ${reason}`));
  if (installed.packages.length > 0 || installed.unread.length > 0) {
    const system = { name: recipe.name, version: recipe.version, osRelease: fieldsOf(osRelease) };
    const bytes = encodeCycloneDx(system, installed);
    const what = { kind: 'packages', of: 'root', format: CYCLONEDX_FORMAT } as const;
    parts.push({ path: names.packages, bytes, part: partOf(what, basename(names.packages), bytes) });
  }
  return { parts, notes };
}

/** What cannot be read is as good as not there: the name of the system only makes names of packages more exact. */
function fieldsOf(osRelease: Uint8Array): ReadonlyMap<string, string> {
  try {
    return parseReleaseFile(parseUtf8(osRelease), 'os-release');
  } catch (error) {
    if (error instanceof TextError || error instanceof DiskError) return new Map();
    throw error;
  }
}
