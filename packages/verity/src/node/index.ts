// SPDX-License-Identifier: Apache-2.0
export type { FecFileRequest } from './fec-files.ts';
export { type FormatFilesRequest, type FormattedFiles, formatFiles } from './format-files.ts';
export { type RepairFilesRequest, type RepairReport, repairFiles } from './repair-files.ts';
export { type KnownTree, knownTree, type TreeInFile, type VerifyFilesRequest, verifyFiles } from './verify-files.ts';
