// SPDX-License-Identifier: Apache-2.0
export { bootsUnder, conditionText } from './choose-boot.ts';
export { encodeCorim } from './corim/corim.ts';
export { ManifestError, type ManifestErrorCode } from './error.ts';
export { canonicalJson } from './format/canonical.ts';
export { predictedEventsOf } from './format/events-of.ts';
export { encodeManifest, parseManifest } from './format/parse.ts';
export {
  type BootCondition,
  type Manifest,
  type ManifestArtefact,
  type ManifestBoot,
  type ManifestBudgets,
  type ManifestEvent,
  type ManifestIma,
  type ManifestPart,
  type ManifestRoot,
  manifestSchema,
} from './format/schema.ts';
export { type ManifestRequest, makeManifest, type PredictedBoot } from './make-manifest.ts';
export {
  encodeFileList,
  FILE_LIST_FORMAT,
  type FileList,
  type ListedFile,
  partOf,
  requirePart,
  verifyFileList,
} from './parts/file-list.ts';
export { BANKS, type Bank, type EventOrigin, type PredictedEvent } from './predicted-event.ts';
export { replayPredicted } from './replay-predicted.ts';
export {
  MANIFEST_PAYLOAD_TYPE,
  readUnverifiedManifest,
  signManifest,
  type VerifiedManifest,
  verifyManifest,
} from './signed/manifest-envelope.ts';
