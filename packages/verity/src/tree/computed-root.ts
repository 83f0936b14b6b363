// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { requireDataSize } from './format.ts';
import { treeLayout } from './layout.ts';
import { saltedDigester } from './salted.ts';
import type { VerifyRequest } from './verify.ts';
import { requireTreeSize } from './verify.ts';

/**
 * The root hash that the top of a tree has, whatever lies below it: one block is read. It says which root hash the tree is
 * for; that it holds, only `verifyTree` says.
 * @param request the data is read where it is a single block, which needs no tree.
 * @throws {VerityError} 'options_invalid', 'tree_short', 'data_size'. @throws {BytesError}
 */
export function rootHashOfTree(
  request: Pick<VerifyRequest, 'hash' | 'parameters' | 'place'> & { readonly data: ByteSource },
): Uint8Array {
  const { data, hash, parameters, place } = request;
  const layout = treeLayout(parameters, place);
  const top = layout.levels.at(-1);
  if (top === undefined) requireDataSize(data, parameters);
  else requireTreeSize(hash, layout);
  const size = top === undefined ? parameters.dataBlockSize : parameters.hashBlockSize;
  const block = top === undefined ? readBytes(data, 0, size) : readBytes(hash, top.offset, size);
  return saltedDigester(parameters, size, layout.cells.digestBytes)(block).slice();
}
