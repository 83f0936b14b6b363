// SPDX-License-Identifier: Apache-2.0
import type { ImageReference, ManifestLife } from '@vouchsafe/appraise';
import { type FileList, type Manifest, ManifestError, verifyFileList, verifyManifest } from '@vouchsafe/manifest';
import type { ManifestRow } from '../../store/rows/references.ts';
import type { Rows } from '../../store/rows.ts';

/** Images that are compared with at a time. Active ones come first, then those that say why another is refused. */
const MAX_IMAGES = 64;
const ORDER: Readonly<Record<ManifestRow['life'], number>> = { active: 0, retiring: 1, revoked: 2, candidate: 3 };

/**
 * The images of the database. Each signature is checked again: when a signer is no longer trusted, so is what it signed.
 */
export async function loadImages(rows: Rows, keys: readonly Uint8Array[]): Promise<ImageReference[]> {
  const known = (await rows.references.manifests()).toSorted(
    (a, b) => ORDER[a.life] - ORDER[b.life] || b.added_at_ms - a.added_at_ms,
  );
  const images: ImageReference[] = [];
  for (const row of known) {
    if (images.length === MAX_IMAGES) break;
    const manifest = openTrusted(row.envelope, keys);
    if (manifest === undefined) continue;
    images.push({ manifest, life: lifeOf(row), fileLists: await loadFileLists(rows, manifest.manifest) });
  }
  return images;
}

function openTrusted(envelope: Uint8Array, keys: readonly Uint8Array[]): ReturnType<typeof verifyManifest> | undefined {
  try {
    return verifyManifest(envelope, keys);
  } catch (error) {
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}

async function loadFileLists(rows: Rows, { parts }: Manifest): Promise<FileList[]> {
  const lists: FileList[] = [];
  for (const part of parts) {
    if (part.kind !== 'files') continue;
    const bytes = await rows.references.part(part.sha256);
    if (bytes !== undefined) lists.push(verifyFileList(part, bytes));
  }
  return lists;
}

function lifeOf({ life, retires_at_ms }: ManifestRow): ManifestLife {
  if (life === 'retiring') return { state: 'retiring', untilMs: retires_at_ms ?? 0 };
  if (life === 'revoked') return { state: 'revoked', sinceMs: retires_at_ms ?? 0 };
  return { state: life };
}
