// SPDX-License-Identifier: Apache-2.0
export { BytesError, type BytesErrorCode } from './error.ts';
export { MemorySink, memorySource } from './memory.ts';
export type { ByteSink } from './sink.ts';
export { sliceSource, totalLength } from './slice.ts';
export { type ByteSource, type Extent, readBytes, readScattered, requireRange } from './source.ts';
