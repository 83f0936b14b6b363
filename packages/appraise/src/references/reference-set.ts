// SPDX-License-Identifier: Apache-2.0
import type { ReplayQuirk } from '@vouchsafe/eventlog';
import type { FileList, Manifest, VerifiedManifest } from '@vouchsafe/manifest';
import type { FirmwareBaseline, LaunchBaseline } from './baseline.ts';
import type { ManifestLife } from './life.ts';

/** A manifest with what an operator says of its image. */
export interface ImageReference {
  /** One that a trusted key has signed. */
  readonly manifest: Pick<VerifiedManifest, 'manifest' | 'bytes'>;
  readonly life: ManifestLife;
  /** The lists of files that the manifest names; those that are not given are not compared with. */
  readonly fileLists?: readonly FileList[];
}

/** What must be revoked on every machine, whatever its own lists say. */
export interface Revocations {
  /** Authenticode digests, SHA-256, lower-case hexadecimal: entries that a current dbx has. */
  readonly programs?: readonly string[];
  /** The least datestamp of the SBAT level that shim enforces: '2024040900'. */
  readonly sbatLevel?: string;
  /** SHA-256 of whole dbx variables that are good enough. */
  readonly dbx?: readonly string[];
}

/** All that evidence is compared with. */
export interface ReferenceSet {
  readonly images: readonly ImageReference[];
  /** By image name the oldest version that is allowed. */
  readonly versionFloors?: Readonly<Record<string, string>>;
  readonly baselines?: readonly FirmwareBaseline[];
  readonly launches?: readonly LaunchBaseline[];
  readonly revocations?: Revocations;
  /** SHA-256 of files that must not be used, whoever has signed them; looked at before all else. */
  readonly deniedFiles?: readonly string[];
  /** SHA-256 of files that are good although no image has them: of packages beside the image, say. */
  readonly allowedFiles?: readonly string[];
  /** Keys whose signatures (security.ima) make files good that no image has: SPKI, RSA or ECDSA. */
  readonly imaKeys?: readonly Uint8Array[];
  /** Deviations that the firmware of these machines is known to have. */
  readonly quirks?: readonly ReplayQuirk[];
}

/** Something that a verdict has used: it may change afterwards. */
export interface UsedReference {
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** An image, prepared. */
export interface PreparedImage extends UsedReference {
  readonly manifest: Manifest;
  readonly life: ManifestLife;
  /** Of the files of all its lists: paths by digest. Undefined when the manifest names lists that were not given, or none. */
  readonly files: PreparedFiles | undefined;
}

export interface PreparedFiles {
  /** By SHA-256 in lower-case hexadecimal. */
  readonly byDigest: ReadonlyMap<string, readonly string[]>;
  /** SHA-256 by path, of each list that has the path. */
  readonly byPath: ReadonlyMap<string, readonly string[]>;
}

export interface PreparedBaseline extends UsedReference {
  readonly baseline: FirmwareBaseline;
}

export interface PreparedLaunch extends UsedReference {
  readonly launch: LaunchBaseline;
}

declare const prepared: unique symbol;

/** References as `prepareReferences` gives them; good for any number of appraisals. */
export interface PreparedReferences {
  readonly [prepared]: true;
  /** Of all of it: another digest is another set. */
  readonly sha256: string;
  readonly images: readonly PreparedImage[];
  readonly floors: ReadonlyMap<string, string>;
  readonly baselines: readonly PreparedBaseline[];
  readonly launches: readonly PreparedLaunch[];
  readonly revokedPrograms: ReadonlySet<string>;
  readonly revocations: Revocations;
  readonly deniedFiles: ReadonlySet<string>;
  readonly allowedFiles: ReadonlySet<string>;
  readonly imaKeys: readonly Uint8Array[];
  readonly quirks: readonly ReplayQuirk[];
  /** Each list of boot phases that one of the images goes through, the longest ones alone. */
  readonly phasePaths: readonly (readonly string[])[];
}
