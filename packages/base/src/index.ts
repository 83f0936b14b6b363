// SPDX-License-Identifier: Apache-2.0
export { bytesEqual, concatBytes } from './bytes.ts';
export { isVouchsafeError, VouchsafeError } from './error.ts';
export type { Finding, FindingPlace } from './finding.ts';
export { formatBytes } from './format-bytes.ts';
export { HexError, parseHex, toHex } from './hex.ts';
export type { CancelSignal, LongWork, Progress } from './progress.ts';
export { ascii, parseUtf8, TextError, utf8 } from './text.ts';
