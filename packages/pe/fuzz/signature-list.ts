// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { certificateLists, decodeSignatureLists, encodeSignatureLists } from '@vouchsafe/pe';
import type { FuzzTarget } from '@vouchsafe/testing';

const OWNER = '55c96959-7948-4709-85a5-aff5393936a4';

/** Bytes as signature lists: what is accepted is written again as it was. */
export const target: FuzzTarget = {
  name: 'pe-signature-list',
  seeds: () => [
    encodeSignatureLists([{ type: 'sha256', signatures: [{ owner: OWNER, data: new Uint8Array(32) }] }]),
    encodeSignatureLists(certificateLists([new Uint8Array(40), new Uint8Array(41)], OWNER)),
  ],
  run(bytes) {
    const lists = decodeSignatureLists(bytes);
    // A list without signatures does not keep the SignatureSize that it came with.
    if (lists.some(({ signatures }) => signatures.length === 0)) return;
    if (!bytesEqual(encodeSignatureLists(lists), bytes)) throw new Error('written otherwise than read');
  },
};
