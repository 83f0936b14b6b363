// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { FuzzTarget } from '@vouchsafe/testing';
import { decodeVeritySigPartition, encodeVeritySigPartition } from '@vouchsafe/verity';
import { treeTestdata } from '../test/tree-support.ts';

/** Bytes as a verity-sig partition: what is taken says the same when it is written again. */
export const target: FuzzTarget = {
  name: 'verity-sig-partition',
  seeds: () => {
    const json = treeTestdata('signature/verity-sig.json');
    const padded = new Uint8Array(json.length + 64);
    padded.set(json);
    return [json, padded];
  },
  run(bytes) {
    const said = decodeVeritySigPartition(bytes);
    const again = decodeVeritySigPartition(encodeVeritySigPartition(said, 2 * bytes.length + 1024));
    if (!bytesEqual(said.rootHash, again.rootHash) || !bytesEqual(said.signature, again.signature))
      throw new Error('it says something else when it is written again');
  },
};
