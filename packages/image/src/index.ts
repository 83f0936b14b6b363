// SPDX-License-Identifier: Apache-2.0
export { type BuildOptions, type BuiltImage, buildImage } from './build/build-image.ts';
export { type BuiltKataImage, buildKataImage } from './build/build-kata-image.ts';
export { type BuildWhenChangedOptions, buildWhenChanged, type UpToDateImage } from './build/build-when-changed.ts';
export { makeUki } from './build/signed-uki.ts';
export { makeVerityRoot, type VerityRoot } from './build/verity-root.ts';
export type { DdiPartition, FatMembers, PartitionContent, RootHashes } from './ddi/content.ts';
export { type CopiedTreeOptions, copiedTree, subtree } from './ddi/copied-tree.ts';
export {
  type CheckedTree,
  type ExtensionRequest,
  extensionTree,
  portableTree,
  releaseIn,
} from './ddi/extension-tree.ts';
export { withEmptySlots } from './ddi/slots.ts';
export { findVeritySets, type VerityProblem, type VeritySet, type VeritySets } from './ddi/verity-sets.ts';
export { type DdiRequest, type WrittenDdi, writeDdi } from './ddi/write-ddi.ts';
export { type ArtefactDiff, type DiffOptions, diffArtefacts } from './diff/diff-artefacts.ts';
export type { Difference } from './diff/difference.ts';
export { ElfFile } from './elf/elf-file.ts';
export { ImageError, type ImageErrorCode } from './error.ts';
export { contentTree } from './extract/content-tree.ts';
export { type Extracted, type ExtractOptions, extractTree } from './extract/extract-tree.ts';
export { type Selected, type Selection, select, selectPartition } from './extract/select.ts';
export { modulesInLoadOrder } from './initrd/kernel-modules.ts';
export { type InitrdRequest, makeInitrd, VIRTUAL_MACHINE_MODULES } from './initrd/make-initrd.ts';
export { type PlacedFile, programWithLibraries, treeOf } from './initrd/program.ts';
export { describeArtefact } from './inspect/describe-artefact.ts';
export type * from './inspect/description.ts';
export type { InspectOptions } from './inspect/inspect-options.ts';
export { type ArtefactKind, recogniseArtefact } from './inspect/recognise.ts';
export { encodeCycloneDx, type SystemIdentity } from './packages/cyclonedx.ts';
export type { InstalledPackage, InstalledPackages } from './packages/installed-package.ts';
export { readInstalledPackages } from './packages/read-installed-packages.ts';
export { FIRST_RECIPE } from './recipe/first-recipe.ts';
export type { InitrdInput } from './recipe/initrd-input.ts';
export { type KernelInput, parseKernelInput } from './recipe/kernel-input.ts';
export { type OpenKernel, openKernel } from './recipe/open-kernel.ts';
export { type OpenRootRequest, openRoot } from './recipe/open-root.ts';
export { parseRecipe, type Recipe } from './recipe/recipe.ts';
export { RecipeNode } from './recipe/recipe-node.ts';
export { parseRootInput, type RootInput } from './recipe/root-input.ts';
export { parseTreeRules } from './recipe/tree-rules.ts';
export type { FileSize } from './report/file-sizes.ts';
export type { PackageSize } from './report/package-sizes.ts';
export type { SizeKind, SizeNode } from './report/size-node.ts';
export { type SizeReport, type SizeReportOptions, sizeReport } from './report/size-report.ts';
export { treemapSvg } from './report/treemap-svg.ts';
export type { BootFile } from './verify/boot-file.ts';
export type { DiskFindingCode, ImageFinding, ImageFindingCode } from './verify/findings.ts';
export { type DiskVerdict, type VerifiedRoot, type VerifyDiskOptions, verifyDisk } from './verify/verify-disk.ts';
