// SPDX-License-Identifier: Apache-2.0
export { type DecompressionLimits, decompressed } from './decompress.ts';
export { wasmClusterCompressor } from './lz4/wasm-compressor.ts';
export { type HostFile, hostFileOf, OpenFiles } from './open-files.ts';
export { type InitrdPart, type OpenInitrd, type OpenInitrdOptions, openInitrd } from './open-initrd.ts';
export { openDebianControl, openTree, type TreeInputKind, treeInputKind } from './open-tree.ts';
export type { OpenTree, OpenTreeOptions } from './open-tree-options.ts';
export { SpoolFile } from './spool-file.ts';
export { type ErofsThreads, writeErofsWithThreads } from './write-erofs-with-threads.ts';
