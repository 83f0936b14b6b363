// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';
import { VerityError } from '../error.ts';
import { type HashAreaPlace, type TreeLayout, treeLayout } from './layout.ts';
import type { Settle } from './leaves.ts';
import type { VerityParameters } from './parameters.ts';
import { encodeSuperblock, requireUuid } from './superblock.ts';
import { passOverTree } from './tree-pass.ts';

export interface FormatRequest {
  readonly data: ByteSource;
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly hash: ByteSink;
  /** For the superblock; without a superblock it is not used. May be derived from the root hash. */
  readonly uuid: string | ((rootHash: Uint8Array) => string);
}

/** Writes each settled block to where the layout has it. */
export function writeBlocks(layout: TreeLayout, sink: ByteSink, hashBlockSize: number): Settle {
  return (level, index, block) => {
    sink.write((layout.levels[level] as { offset: number }).offset + index * hashBlockSize, block);
    return block;
  };
}

/** @throws {VerityError} 'data_size' when the source is shorter than the data blocks. */
export function requireDataSize(data: ByteSource, p: VerityParameters): void {
  if (data.size < p.dataBlocks * p.dataBlockSize) {
    throw new VerityError(
      'data_size',
      `${data.label}: expected ${p.dataBlocks} blocks of ${p.dataBlockSize} octets, the file ends at octet ${data.size}; is it the data of this tree, and whole?`,
    );
  }
}

/** Writes the superblock, as the last thing: an interrupted run leaves none, and so nothing that looks complete. */
export function writeSuperblock(request: Omit<FormatRequest, 'data'>, rootHash: Uint8Array): string | undefined {
  if (!request.place.hasSuperblock) return undefined;
  const uuid = typeof request.uuid === 'string' ? request.uuid : request.uuid(rootHash);
  const { parameters, place, hash } = request;
  const { levels, end } = treeLayout(parameters, place);
  const superblock = encodeSuperblock({ ...parameters, uuid });
  const padded = new Uint8Array(levels.length > 0 ? superblock.length : end - place.offset);
  padded.set(superblock);
  hash.write(place.offset, padded);
  return uuid;
}

/**
 * Writes the hash tree of the data, and the superblock if there is to be one.
 * @returns the root hash.
 * @throws {VerityError} 'options_invalid', 'data_size'; and what the source and the sink throw.
 */
export async function formatVerity(request: FormatRequest, work: LongWork = {}): Promise<Uint8Array> {
  const { data, parameters, place, hash } = request;
  const layout = treeLayout(parameters, place);
  requireDataSize(data, parameters);
  // Before the work, not after it.
  if (place.hasSuperblock && typeof request.uuid === 'string') requireUuid(request.uuid);
  const settle = writeBlocks(layout, hash, parameters.hashBlockSize);
  const rootHash = await passOverTree(data, parameters, layout, settle, 'hashing', work);
  writeSuperblock(request, rootHash);
  return rootHash;
}
