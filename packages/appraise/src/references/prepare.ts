// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { digest, importPublicKey } from '@vouchsafe/crypto';
import { canonicalJson, type FileList, type Manifest } from '@vouchsafe/manifest';
import { AppraiseError } from '../error.ts';
import type {
  ImageReference,
  PreparedFiles,
  PreparedImage,
  PreparedReferences,
  ReferenceSet,
  UsedReference,
} from './reference-set.ts';

/** Each is compared with each new boot. */
const MAX_IMAGES = 64;
const MAX_BASELINES = 256;
/** Each is tried on each file that no image has. */
const MAX_IMA_KEYS = 8;
/** Of one baseline; a firmware measures some hundred. */
const MAX_BASELINE_EVENTS = 4096;

const sha256 = (bytes: Uint8Array): string => toHex(digest('sha256', bytes));

/**
 * Makes references ready for use: once for each change of them, not for each appraisal.
 * @throws {AppraiseError} 'limit'. @throws {CryptoError} for a key of files that cannot be used. @throws {ManifestError} 'manifest_malformed' for a baseline that is no plain data.
 */
export function prepareReferences(set: ReferenceSet): PreparedReferences {
  const { images, baselines = [], launches = [], versionFloors = {}, revocations = {}, quirks = [] } = set;
  const { deniedFiles = [], allowedFiles = [], imaKeys = [] } = set;
  requireAtMost(imaKeys.length, MAX_IMA_KEYS, 'keys of files');
  // Here and not in the midst of an appraisal.
  for (const key of imaKeys) importPublicKey(key);
  requireAtMost(images.length, MAX_IMAGES, 'images');
  requireAtMost(baselines.length + launches.length, MAX_BASELINES, 'baselines');
  for (const { events, name } of [...baselines, ...launches]) {
    requireAtMost(events.length, MAX_BASELINE_EVENTS, `events of the baseline ${name}`);
  }
  const preparedImages = images.map(prepareImage);
  const preparedBaselines = baselines.map((baseline) => ({ ...usedOf(baseline), baseline }));
  const preparedLaunches = launches.map((launch) => ({ ...usedOf(launch), launch }));
  const whole = {
    images: preparedImages.map(({ sha256, life, files }, i) => ({
      sha256,
      life,
      // The manifest names its lists by digest, so that it is enough to say which were given.
      lists: files === undefined ? [] : (images[i]?.fileLists ?? []).map(({ of }) => of),
    })),
    baselines: preparedBaselines.map(({ sha256 }) => sha256),
    launches: preparedLaunches.map(({ sha256 }) => sha256),
    versionFloors,
    revocations,
    deniedFiles,
    allowedFiles,
    imaKeys: imaKeys.map(toHex),
    quirks,
  };
  return {
    sha256: sha256(canonicalJson(whole)),
    images: preparedImages,
    floors: new Map(Object.entries(versionFloors)),
    baselines: preparedBaselines,
    launches: preparedLaunches,
    revokedPrograms: new Set(revocations.programs ?? []),
    revocations,
    deniedFiles: new Set(deniedFiles),
    allowedFiles: new Set(allowedFiles),
    imaKeys,
    quirks,
    phasePaths: phasePathsOf(preparedImages.map(({ manifest }) => manifest)),
  } as unknown as PreparedReferences;
}

function requireAtMost(count: number, most: number, what: string): void {
  if (count > most) throw new AppraiseError('limit', `expected at most ${most} ${what}, found ${count}`);
}

function usedOf(reference: { readonly name: string }): UsedReference {
  return { name: reference.name, sha256: sha256(canonicalJson(reference)) };
}

function prepareImage({ manifest: { manifest, bytes }, life, fileLists = [] }: ImageReference): PreparedImage {
  const named = manifest.parts.filter(({ kind }) => kind === 'files');
  const isWhole = named.length > 0 && named.every((part) => fileLists.some(({ of }) => of === part.of));
  return {
    name: `${manifest.name} ${manifest.version}`,
    sha256: sha256(bytes),
    manifest,
    life,
    files: isWhole ? indexFiles(fileLists) : undefined,
  };
}

/** As IMA names files: from the root on. */
function indexFiles(lists: readonly FileList[]): PreparedFiles {
  const byDigest = new Map<string, string[]>();
  const byPath = new Map<string, string[]>();
  const put = (map: Map<string, string[]>, key: string, value: string): void => {
    const known = map.get(key);
    if (known === undefined) map.set(key, [value]);
    else known.push(value);
  };
  for (const { files } of lists) {
    for (const { path, sha256: hex } of files) {
      const absolute = path.startsWith('/') ? path : `/${path}`;
      put(byDigest, hex, absolute);
      put(byPath, absolute, hex);
    }
  }
  return { byDigest, byPath };
}

function phasePathsOf(manifests: readonly Manifest[]): string[][] {
  const paths = manifests.flatMap(({ boots }) => boots.flatMap(({ phases }) => phases.map(({ phase }) => phase)));
  const distinct = [...new Set(paths)];
  const longest = distinct.filter((path) => !distinct.some((other) => other !== path && other.startsWith(`${path}:`)));
  return longest.map((path) => path.split(':').filter((word) => word !== '')).filter((words) => words.length > 0);
}

/** Of a text that has no bytes of its own. */
export function sha256OfText(text: string): string {
  return sha256(utf8(text));
}
