// SPDX-License-Identifier: Apache-2.0
export { type DiskImageRequest, writeDiskImage } from './build/disk-image.ts';
export { makeUki } from './build/signed-uki.ts';
export { makeVerityRoot, type VerityRoot } from './build/verity-root.ts';
export type { DdiPartition, FatMembers, PartitionContent, RootHashes } from './ddi/content.ts';
export { findVeritySets, type VerityProblem, type VeritySet, type VeritySets } from './ddi/verity-sets.ts';
export { type DdiRequest, type WrittenDdi, writeDdi } from './ddi/write-ddi.ts';
export { ElfFile } from './elf/elf-file.ts';
export { ImageError, type ImageErrorCode } from './error.ts';
export { modulesInLoadOrder } from './initrd/kernel-modules.ts';
export { type InitrdRequest, makeInitrd, VIRTUAL_MACHINE_MODULES } from './initrd/make-initrd.ts';
export { type PlacedFile, programWithLibraries, treeOf } from './initrd/program.ts';
export { describeArtefact, type InspectOptions } from './inspect/describe-artefact.ts';
export type * from './inspect/description.ts';
export { type ArtefactKind, type Compression, recogniseArtefact } from './inspect/recognise.ts';
export type { BootFile } from './verify/boot-files.ts';
export type { DiskFindingCode, ImageFinding, ImageFindingCode } from './verify/findings.ts';
export { type DiskVerdict, type VerifiedRoot, type VerifyDiskOptions, verifyDisk } from './verify/verify-disk.ts';
