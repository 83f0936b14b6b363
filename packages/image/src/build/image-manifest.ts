// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import type { Bank, ManifestArtefact, ManifestPart } from '@vouchsafe/manifest';
import type { FirmwareVariable } from '@vouchsafe/measure';
import { openBootDisk } from '../boot/boot-disk.ts';
import { type BootManifest, makeBootManifest } from '../boot/boot-manifest.ts';
import { sha256Of } from '../inspect/sha256-of.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { OutputNames } from './output-files.ts';

/** What is known of an image beside its recipe when the manifest is made. */
export interface Measured {
  readonly disk: ByteSource;
  /** Of the disk, in lower-case hexadecimal. */
  readonly diskSha256: string;
  readonly uki: ByteSource;
  readonly banks: readonly Bank[];
  readonly parts: readonly ManifestPart[];
  readonly variables: readonly FirmwareVariable[];
}

/**
 * What the image puts into PCRs, with Secure Boot and without, on a machine that has just the recipe's keys enrolled (which
 * PCR 7 is about); what else depends on the machine is left out.
 */
export function imageManifest(
  recipe: Recipe,
  names: OutputNames,
  { disk, diskSha256, uki, banks, parts, variables }: Measured,
): BootManifest {
  const { artefacts } = openBootDisk(disk);
  const artefact = (
    kind: ManifestArtefact['kind'],
    path: string,
    sizeBytes: number,
    sha256: string,
  ): ManifestArtefact => ({
    kind,
    path: basename(path),
    sizeBytes,
    sha256,
  });
  return makeBootManifest({
    name: recipe.name,
    version: recipe.version,
    banks,
    artefacts: { ...artefacts, variables },
    circumstances: { phases: recipe.phases },
    files: [artefact('disk', names.disk, disk.size, diskSha256), artefact('uki', names.uki, uki.size, sha256Of(uki))],
    parts,
    budgets: recipe.budgets,
  });
}
