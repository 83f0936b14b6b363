// SPDX-License-Identifier: Apache-2.0

import type { ByteSource } from '@vouchsafe/bytes';
import { DiskError, listFat, openErofs, openFat, openFatFile } from '@vouchsafe/disk';
import { extensionReleasesOf, osReleaseOf } from '../ddi/image-release.ts';
import type { DescribeContent } from './describe-disk.ts';
import type { ArtefactHead, ErofsDescription, FatDescription, VolumeFile } from './description.ts';

/** Files of a volume that are listed; an ESP has a few dozen. */
const MAX_LISTED = 10_000;

/** @throws {DiskError} @throws {BytesError} */
export function describeErofs(source: ByteSource, head: Omit<ArtefactHead, 'kind'>): ErofsDescription {
  const volume = openErofs(source);
  const { uuid, label, blockBytes, sizeBytes, inodeCount, epochSeconds, features } = volume;
  const osRelease = osReleaseOf(volume);
  const extensions = extensionReleasesOf(volume);
  return {
    ...head,
    kind: 'erofs',
    uuid,
    volumeLabel: label,
    blockBytes,
    imageBytes: sizeBytes,
    inodeCount,
    timestampSeconds: epochSeconds,
    features,
    ...(osRelease === undefined ? {} : { osRelease: Object.fromEntries(osRelease) }),
    ...(extensions.size === 0
      ? {}
      : {
          extensionReleases: Object.fromEntries(
            [...extensions].map(([path, fields]) => [path, Object.fromEntries(fields)]),
          ),
        }),
  };
}

/** @throws {DiskError} @throws {BytesError} */
export function describeFat(
  source: ByteSource,
  head: Omit<ArtefactHead, 'kind'>,
  describe: DescribeContent,
): FatDescription {
  const volume = openFat(source);
  const files: VolumeFile[] = [];
  let furtherFiles = 0;
  for (const entry of listFat(volume)) {
    if (entry.kind === 'directory') continue;
    if (files.length >= MAX_LISTED) {
      furtherFiles++;
      continue;
    }
    const { path, sizeBytes } = entry;
    const isProgram = /\.efi$/i.test(path);
    files.push(
      isProgram
        ? { path, sizeBytes, content: programContent(() => openFatFile(volume, entry), describe) }
        : { path, sizeBytes },
    );
  }
  return {
    ...head,
    kind: 'fat',
    format: volume.kind,
    volumeLabel: volume.label,
    volumeId: volume.volumeId?.toString(16).padStart(8, '0'),
    files,
    furtherFiles,
  };
}

function programContent(open: () => ByteSource, describe: DescribeContent): NonNullable<VolumeFile['content']> {
  try {
    return describe(open());
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}
