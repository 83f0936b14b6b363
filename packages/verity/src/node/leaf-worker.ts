// SPDX-License-Identifier: Apache-2.0
// Runs in a worker thread: hashes ranges of data blocks into blocks of level 0, and writes or compares those.
import { parentPort, workerData } from 'node:worker_threads';
import { isVouchsafeError } from '@vouchsafe/base';
import { descriptorSink, FileSource } from '@vouchsafe/bytes/node';
import { compareBlocks, noMismatches } from '../tree/compare.ts';
import { writeBlocks } from '../tree/format.ts';
import { treeLayout } from '../tree/layout.ts';
import { hashLeaves } from '../tree/leaves.ts';
import type { LeafResult, LeafTask, LeafWorkerData } from './leaf-messages.ts';

const { mode, data, hash, parameters, place } = workerData as LeafWorkerData;
const layout = treeLayout(parameters, place);
const source = FileSource.over(data);

function run({ id, first, end }: LeafTask): LeafResult {
  const { perBlock, digestBytes } = layout.cells;
  const digests = new Uint8Array(Math.ceil((end - first) / perBlock) * digestBytes);
  const found = noMismatches(layout);
  const settle =
    mode === 'write'
      ? writeBlocks(layout, descriptorSink(hash.fd, hash.label, hash.start), parameters.hashBlockSize)
      : compareBlocks(layout, FileSource.over(hash), parameters.hashBlockSize, found);
  let at = 0;
  const carry = (digest: Uint8Array): void => {
    digests.set(digest, at);
    at += digestBytes;
  };
  for (const _ of hashLeaves(source, parameters, layout, { first, end }, settle, carry));
  return { id, digests, mismatched: found.data.runs, spare: found.spare[0]?.runs ?? [] };
}

parentPort?.on('message', (task: LeafTask) => {
  let result: LeafResult;
  try {
    result = run(task);
  } catch (error) {
    if (!isVouchsafeError(error)) throw error;
    // An error of ours loses its class on the way to the other thread, so it travels as data.
    result = { id: task.id, failure: { name: error.name, code: error.code, message: error.message } };
  }
  parentPort?.postMessage(result);
});
