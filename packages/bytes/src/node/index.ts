// SPDX-License-Identifier: Apache-2.0

export { commitTogether, type JointOutput } from './commit-together.ts';
export { descriptorSink } from './file-sink.ts';
export { type FileHandleData, FileSource } from './file-source.ts';
export { hostError } from './host-error.ts';
export { InPlaceFile } from './in-place-file.ts';
export { OutputFile } from './output-file.ts';
export type { PublishedFile } from './published-file.ts';
export { readFully } from './read-fully.ts';
export { openRegion, type Region } from './region.ts';
export { isSameFile } from './same-file.ts';
