// SPDX-License-Identifier: Apache-2.0
export { countDataBlocks, type UncountedParameters } from './count-blocks.ts';
export type { FecFileRequest } from './fec-files.ts';
export { type FormatFilesRequest, type FormattedFiles, formatFiles } from './format-files.ts';
export { type KnownTree, knownTree, type TreeInFile } from './known-tree.ts';
export { type RepairFilesRequest, type RepairReport, repairFiles } from './repair-files.ts';
export type { Repairable } from './repairable.ts';
export { type VerifiedFiles, type VerifyFilesRequest, verifyFiles, verifyOpenFiles } from './verify-files.ts';
export { type FormatOpenFilesRequest, formatOpenFiles } from './write-tree.ts';
