// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import type { Bank, ManifestArtefact, ManifestPart } from '@vouchsafe/manifest';
import type { FirmwareVariable } from '@vouchsafe/measure';
import { openBootDisk } from '../boot/boot-disk.ts';
import { type BootManifest, makeBootManifest, predictBoots } from '../boot/boot-manifest.ts';
import { sha256Of } from '../inspect/sha256-of.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { OutputNames } from './output-files.ts';

/** What is known of an image beside its recipe when the manifest is made. */
export interface Measured {
  readonly disk: ByteSource;
  /** Of the disk, in lower-case hexadecimal, when it is known. */
  readonly diskSha256: Promise<string>;
  readonly uki: ByteSource;
  readonly banks: readonly Bank[];
  readonly parts: readonly ManifestPart[];
  readonly variables: readonly FirmwareVariable[];
}

/**
 * What the image puts into PCRs, with Secure Boot and without, on a machine that has just the recipe's keys enrolled (which
 * PCR 7 is about); what else depends on the machine is left out.
 */
export async function imageManifest(
  recipe: Recipe,
  names: OutputNames,
  { disk, diskSha256, uki, banks, parts, variables }: Measured,
): Promise<BootManifest> {
  const artefacts = { ...openBootDisk(disk).artefacts, variables };
  const booted = { banks, artefacts, circumstances: { phases: recipe.phases } };
  const predicted = predictBoots(booted);
  const ukiSha256 = sha256Of(uki);
  const files: readonly ManifestArtefact[] = [
    { kind: 'disk', path: basename(names.disk), sizeBytes: disk.size, sha256: await diskSha256 },
    { kind: 'uki', path: basename(names.uki), sizeBytes: uki.size, sha256: ukiSha256 },
  ];
  const { name, version, budgets } = recipe;
  return makeBootManifest({ ...booted, name, version, predicted, files, parts, budgets });
}
