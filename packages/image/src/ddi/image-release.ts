// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import {
  DiskError,
  type ErofsEntry,
  type ErofsVolume,
  EXTENSION_CLASSES,
  findErofsEntry,
  openErofsFile,
  parseReleaseFile,
  readErofsDirectory,
} from '@vouchsafe/disk';

type Fields = ReadonlyMap<string, string>;

const MAX_RELEASE_BYTES = 64 * 1024;
/** An extension has one; more than a few are a mistake. */
const MAX_RELEASES = 16;

/**
 * The os-release of an image: systemd's two places, the second where the first is a link out of the way. Undefined where
 * there is none, or it cannot be read as one.
 * @throws {DiskError} when the image is malformed. @throws {BytesError}
 */
export function osReleaseOf(volume: ErofsVolume): Fields | undefined {
  for (const path of ['etc/os-release', 'usr/lib/os-release']) {
    const entry = lookUp(volume, path);
    const fields = entry?.inode.kind === 'file' ? releaseIn(volume, entry) : undefined;
    if (fields !== undefined) return fields;
  }
  return undefined;
}

/** The extension-release files of an image, of both classes, by path. @throws {DiskError} @throws {BytesError} */
export function extensionReleasesOf(volume: ErofsVolume): ReadonlyMap<string, Fields> {
  const releases = new Map<string, Fields>();
  for (const { folder } of Object.values(EXTENSION_CLASSES)) {
    const directory = lookUp(volume, folder);
    if (directory?.inode.kind !== 'directory') continue;
    const parent = lookUp(volume, folder.slice(0, folder.lastIndexOf('/')));
    if (parent === undefined) continue;
    for (const { name } of readErofsDirectory(volume, directory.inode, parent.inode.nid)) {
      if (!name.startsWith('extension-release.') || releases.size >= MAX_RELEASES) continue;
      const path = `${folder}/${name}`;
      const entry = lookUp(volume, path);
      const fields = entry?.inode.kind === 'file' ? releaseIn(volume, entry) : undefined;
      if (fields !== undefined) releases.set(path, fields);
    }
  }
  return releases;
}

function lookUp(volume: ErofsVolume, path: string): ErofsEntry | undefined {
  try {
    return findErofsEntry(volume, path);
  } catch (error) {
    // A part of the path may be a link, which leads nowhere here.
    if (error instanceof DiskError && (error.code === 'not_found' || error.code === 'not_a_file')) return undefined;
    throw error;
  }
}

function releaseIn(volume: ErofsVolume, { inode, path }: ErofsEntry): Fields | undefined {
  if (inode.sizeBytes > MAX_RELEASE_BYTES) return undefined;
  const file = openErofsFile(volume, inode);
  try {
    return parseReleaseFile(parseUtf8(readBytes(file, 0, file.size)), path);
  } catch (error) {
    if (error instanceof TextError || (error instanceof DiskError && error.code === 'release_malformed'))
      return undefined;
    throw error;
  }
}
