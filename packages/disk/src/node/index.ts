// SPDX-License-Identifier: Apache-2.0
export { type DecompressionLimits, decompressed } from './decompress.ts';
export { SpoolFile } from './spool-file.ts';
