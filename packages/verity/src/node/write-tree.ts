// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { descriptorSink, type FileSource } from '@vouchsafe/bytes/node';
import { requireDataSize, writeBlocks, writeSuperblock } from '../tree/format.ts';
import { treeLayout } from '../tree/layout.ts';
import { requireUuid } from '../tree/superblock.ts';
import { passOverTree } from '../tree/tree-pass.ts';
import type { KnownTree } from './known-tree.ts';
import { passWithThreads } from './leaf-pool.ts';
import { threadsFor } from './threads.ts';

/** Data and the place for its tree, in files that are open: partitions of a disk that is being made. */
export interface FormatOpenFilesRequest extends KnownTree {
  readonly data: FileSource;
  /** Open for writing too. */
  readonly hash: FileSource;
  /** For the superblock. */
  readonly uuid: string;
  /** As many as the machine and the size suggest when absent. */
  readonly threads?: number | undefined;
}

/**
 * Writes the tree of what is in an open file, and its superblock last, into another, or another part of the same.
 * @returns the root hash.
 * @throws {VerityError} 'options_invalid', 'data_size'. @throws {BytesError} what the host refuses.
 */
export async function formatOpenFiles(request: FormatOpenFilesRequest, work: LongWork = {}): Promise<Uint8Array> {
  const { data, hash, parameters, place, uuid } = request;
  requireDataSize(data, parameters);
  requireUuid(uuid);
  const { fd, label, start } = hash.handle;
  const sink = descriptorSink(fd, label, start);
  const threads = threadsFor(parameters.dataBlocks * parameters.dataBlockSize, request.threads);
  const rootHash = await writeTree(threads, data, hash, sink, { parameters, place }, work);
  writeSuperblock({ parameters, place, hash: sink, uuid }, rootHash);
  return rootHash;
}

/**
 * Hashes the data and writes the tree, without a superblock.
 * @param hash what `sink` writes to, for other threads.
 */
export async function writeTree(
  threads: number,
  data: FileSource,
  hash: FileSource,
  sink: ByteSink,
  { parameters, place }: KnownTree,
  work: LongWork,
): Promise<Uint8Array> {
  const layout = treeLayout(parameters, place);
  const settle = writeBlocks(layout, sink, parameters.hashBlockSize);
  if (threads === 1 || layout.levels.length === 0) {
    return passOverTree(data, parameters, layout, settle, 'hashing', work);
  }
  const job = { mode: 'write', data: data.handle, hash: hash.handle, parameters, place } as const;
  return passWithThreads(threads, job, layout, settle, undefined, 'hashing', work);
}
