// SPDX-License-Identifier: Apache-2.0
export { AuditError, type AuditErrorCode } from './error.ts';
export { formatLogKey, type LogKey, logKey, parseLogKey } from './head/log-key.ts';
export { signTreeHead, type TreeHead, type VerifiedTreeHead, verifyTreeHead } from './head/tree-head.ts';
export { type ExportLine, formatExportLine, parseExportLine } from './log/export-line.ts';
export { type AuditFindingCode, type AuditReport, type VerifyLogOptions, verifyAuditLog } from './log/verify-log.ts';
export { type FinishedSubtree, type Frontier, GrowingTree } from './merkle/frontier.ts';
export { hashLeaf, hashNode } from './merkle/hash.ts';
export {
  consistencyProof,
  inclusionProof,
  isConsistent,
  isIncluded,
  type SubtreeHashes,
} from './merkle/proof.ts';
export type { ExportedRecord, RecordsReport } from './records/record-check.ts';
export { proveRecord, recordsDetail, saidOfRecords } from './records/record-group.ts';
export { checkRecordProof, type RecordProof, type RecordProofOutcome } from './records/record-proof.ts';
