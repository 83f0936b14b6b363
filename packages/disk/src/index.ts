// SPDX-License-Identifier: Apache-2.0

export { type Compression, compressionOf, isReadCompression, type UnreadCompression } from './compression/detect.ts';
export { copySource } from './copy.ts';
export { cpioTree } from './cpio/cpio-tree.ts';
export { CPIO_HEADER_BYTES, type CpioHeader } from './cpio/header.ts';
export { type CpioEntry, DEFAULT_MAX_CPIO_ENTRIES, readCpio, readCpioLink } from './cpio/read.ts';
export {
  encodeStubArchive,
  type StubArchiveKind,
  type StubFile,
  stubFilePath,
  writeStubArchive,
} from './cpio/stub-archive.ts';
export { cpioMembers } from './cpio/tree-members.ts';
export { type CpioMember, MAX_CPIO_NAME_BYTES, writeCpio } from './cpio/write.ts';
export { applyImagePolicy, designatorOf, type PolicyOutcome } from './ddi/apply-policy.ts';
export {
  checkExtension,
  type ExtensionContent,
  type ExtensionEntry,
  type ExtensionFindingCode,
} from './ddi/check-extension.ts';
export { checkImagePolicy, type PolicyFindingCode } from './ddi/check-policy.ts';
export { checkPortable, type PortableFindingCode } from './ddi/check-portable.ts';
export {
  defaultAttributes,
  EMPTY_SLOT_LABEL,
  emptySlot,
  type PartitionDefinition,
  type VerityMember,
} from './ddi/definition.ts';
export {
  type CopiedFiles,
  type DefinitionContext,
  type DefinitionFile,
  parseDefinitionFile,
} from './ddi/definition-file.ts';
export { parseDefinitionSize } from './ddi/definition-size.ts';
export {
  EXTENSION_CLASSES,
  type ExtensionClass,
  type ExtensionHost,
  type ExtensionMismatch,
  type ExtensionScope,
  extensionMismatch,
  extensionReleasePath,
  RELAXED_NAME_XATTR,
} from './ddi/extension-release.ts';
export {
  allowedUses,
  DESIGNATORS,
  type Designator,
  type ImagePolicy,
  type PartitionUse,
  type PolicyRule,
  parseImagePolicy,
} from './ddi/image-policy.ts';
export {
  type DefinitionsLayout,
  definitionUuids,
  layoutDefinitions,
  partitionBytes,
  type SizedDefinition,
  withRootHashes,
} from './ddi/layout-definitions.ts';
export { formatReleaseFile, parseReleaseFile } from './ddi/release-file.ts';
export { imageSpecifiers, type Specifiers } from './ddi/specifiers.ts';
export { encodeSwapArea, readSwapArea, type SwapHeader, swapHeader } from './ddi/swap-area.ts';
export { debianPackageData, isArArchive } from './deb/package-data.ts';
export { type ErofsDirent, readErofsDirectory } from './erofs/read/directory.ts';
export { openErofsFile, readErofsLink } from './erofs/read/file.ts';
export { type ErofsInode, readErofsInode } from './erofs/read/inode.ts';
export { type ErofsEntry, findErofsEntry, listErofs } from './erofs/read/list.ts';
export { erofsTree } from './erofs/read/tree.ts';
export { type ErofsVolume, openErofs } from './erofs/read/volume.ts';
export { readErofsXattrs } from './erofs/read/xattrs.ts';
export {
  EROFS_LAYOUT_VERSION,
  type ErofsImagePlan,
  type ErofsRequest,
  planErofsImage,
} from './erofs/write/erofs-image.ts';
export {
  type ErofsCompression,
  type ErofsWriteRequest,
  type WrittenErofs,
  writeErofsImage,
} from './erofs/write/write-image.ts';
export { DiskError, type DiskErrorCode } from './error.ts';
export { checkFat } from './fat/check.ts';
export type { FatFinding, FatFindingCode } from './fat/findings.ts';
export { type Fat32Geometry, minFat32Bytes } from './fat/geometry.ts';
export type { FatMember } from './fat/plan.ts';
export { type FatEntry, findFatEntry, listFat, openFatFile } from './fat/read.ts';
export { FAT_ATTRIBUTES } from './fat/structures.ts';
export { type FatKind, type FatTables, type FatVolume, openFat } from './fat/volume.ts';
export { type Fat32Plan, type Fat32Request, planFat32 } from './fat/write.ts';
export { FILE_TYPES, type FileKind, fileKindOf } from './file-mode.ts';
export {
  attributeNames,
  encodeAttributes,
  PARTITION_ATTRIBUTES,
  type PartitionAttribute,
} from './gpt/attributes.ts';
export { checkGpt } from './gpt/check.ts';
export {
  diskUuidFromSeed,
  fatVolumeIdFromUuid,
  fileSystemUuidFromPartition,
  luksUuidFromPartition,
  partitionUuidFromSeed,
  partitionUuidsFromRootHash,
} from './gpt/derive.ts';
export { type EncodedGpt, encodeGpt, MAX_ENTRIES, writeGpt } from './gpt/encode.ts';
export type { GptCopy, GptFinding, GptFindingCode } from './gpt/findings.ts';
export {
  DEFAULT_ENTRY_COUNT,
  DEFAULT_GRAIN_BYTES,
  type GptLayoutRequest,
  layoutGpt,
  type PartitionRequest,
} from './gpt/layout.ts';
export {
  architecturePartitionType,
  type CommonPartitionType,
  commonPartitionType,
  PARTITION_ARCHITECTURES,
  type PartitionArchitecture,
  type PartitionRole,
  partitionTypeName,
  partitionTypeUuid,
} from './gpt/partition-types.ts';
export { type GptReport, readGpt, requireGpt } from './gpt/read.ts';
export {
  type BytePlace,
  type GptPartition,
  type GptTable,
  partitionPlace,
  partitionSource,
  type SectorSize,
} from './gpt/table.ts';
export { changeToken, freeTokenNumber, type Luks2Write } from './luks2/change-tokens.ts';
export { type Luks2BinaryHeader, luks2Header } from './luks2/header.ts';
export type { JsonObject, Luks2Metadata, Luks2Token } from './luks2/metadata.ts';
export { LUKS2_HEADER_SIZES, type Luks2, type Luks2FindingCode, readLuks2 } from './luks2/read.ts';
export { lz4Content } from './lz4/frames.ts';
export { applyOciLayer } from './oci/apply-layer.ts';
export type { OciBlobs, OciDescriptor, OciDigest, OciPlatform } from './oci/descriptor.ts';
export { type OciImage, type OciImageRequest, type OciLayer, selectOciImage } from './oci/select-image.ts';
export type { TarMember } from './tar/member.ts';
export {
  DEFAULT_MAX_CONTENT_BYTES,
  DEFAULT_MAX_TAR_ENTRIES,
  readTar,
  type TarLimits,
} from './tar/read.ts';
export { type TarTreeOptions, tarTree } from './tar/tar-tree.ts';
export {
  buildTree,
  type FileTree,
  type HardLink,
  type TreeAttributes,
  type TreeChild,
  type TreeEntry,
  type TreeInode,
  type TreeNode,
  type Xattr,
} from './tree/file-tree.ts';
export { compileGlob } from './tree/glob.ts';
export { GrowingTree, type GrowingTreeOptions } from './tree/growing-tree.ts';
export { memberPath } from './tree/member-path.ts';
export { overlayTrees } from './tree/overlay-trees.ts';
export { applyTreeRules, clampTimes, type TreeRule, type TreeRuleChange, type TreeRuleMatch } from './tree/rules.ts';
