// SPDX-License-Identifier: Apache-2.0
export { ccObstacle, formatCcRootfsVerity, formatKataParameters, kataObstacle } from './boot/containers.ts';
export type { TreeDescription, VerityBehaviour, VerityDescription } from './boot/description.ts';
export { dmModObstacle, formatDmModCreate, formatDmTable } from './boot/dm-table.ts';
export { formatLoadPinDigests } from './boot/load-pin.ts';
export { describeParity, type ParityDescription, type ParityRequest } from './boot/parity.ts';
export { requireRootHash } from './boot/root-hash.ts';
export { formatRoothash, formatUsrhash, type SystemdDescription, systemdObstacle } from './boot/systemd.ts';
export { DEFAULT_SEED, SEED_BYTES, saltFromSeed, uuidFromRootHash, uuidFromSeed } from './derive.ts';
export { VerityError, type VerityErrorCode } from './error.ts';
export { correctBlocks, type FecCandidate, type FecRequest } from './fec/fec-correct.ts';
export { type FecOutput, writeFec } from './fec/fec-encode.ts';
export type { FecArea, FecInput } from './fec/fec-input.ts';
export { type FecGeometry, type FecParameters, fecGeometry, fecHashBlocks } from './fec/fec-layout.ts';
export type { FecSources } from './fec/fec-round.ts';
export {
  encodeFsVerityDescriptor,
  type FsVerityAlgorithm,
  type FsVerityDescription,
  fsVerityDigest,
  fsverityDescriptor,
} from './fsverity/descriptor.ts';
export { type FsVerityOptions, measureFsVerity } from './fsverity/measure.ts';
export {
  encodeFormattedDigest,
  type FsVerityFileDigest,
  signFileDigest,
  type VerifiedFileDigest,
  verifyFileDigestSignature,
} from './signature/fs-verity-signature.ts';
export { signRootHash, type VerifiedRootHash, verifyRootHashSignature } from './signature/root-hash-signature.ts';
export {
  decodeVeritySigPartition,
  encodeVeritySigPartition,
  type VeritySigPartition,
} from './signature/verity-sig-partition.ts';
export { parseAlgorithm } from './tree/algorithm.ts';
export { BlockSet, type NumberRun } from './tree/block-set.ts';
export { rootHashOfTree } from './tree/computed-root.ts';
export { type VerityFindingCode, type VerityNames, verityFindings } from './tree/findings.ts';
export { type FormatRequest, formatVerity } from './tree/format.ts';
export { readHeader } from './tree/header.ts';
export { type HashAreaPlace, type TreeLayout, type TreeLevel, treeLayout } from './tree/layout.ts';
export { type OpenVerityOptions, openVerity, VerifiedData } from './tree/open.ts';
export { MAX_SALT_BYTES, type VerityParameters } from './tree/parameters.ts';
export {
  decodeSuperblock,
  encodeSuperblock,
  SUPERBLOCK_BYTES,
  type VerityHeader,
  veritySuperblock,
} from './tree/superblock.ts';
export { type VerifyRequest, type VerityReport, verifyTree } from './tree/verify.ts';
