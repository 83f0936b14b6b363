// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { certificateLists, checkSecureBoot, decodeSignatureUpdate, encodeSignatureLists, openPe } from '@vouchsafe/pe';
import type { FuzzTarget } from '@vouchsafe/testing';

import { madeBytes } from '../test/made-pe.ts';

const IMAGE = openPe(memorySource(madeBytes()));
const OWNER = '55c96959-7948-4709-85a5-aff5393936a4';

/** Bytes as signature lists: what is accepted is written again as it was. */
export const target: FuzzTarget = {
  name: 'pe-signature-list',
  seeds: () => [
    encodeSignatureLists([{ type: 'sha256', signatures: [{ owner: OWNER, data: new Uint8Array(32) }] }]),
    encodeSignatureLists([{ type: 'x509Sha256', signatures: [{ owner: OWNER, data: new Uint8Array(48).fill(7) }] }]),
    encodeSignatureLists(certificateLists([new Uint8Array(40), new Uint8Array(41)], OWNER)),
  ],
  run(bytes) {
    const { lists, variable } = decodeSignatureUpdate(bytes);
    const { isAllowed } = checkSecureBoot(IMAGE, { db: [], dbx: lists });
    if (isAllowed) throw new Error('allowed without a db');
    if (variable !== undefined) return;
    // A list without signatures does not keep the SignatureSize that it came with.
    if (lists.some(({ signatures }) => signatures.length === 0)) return;
    if (!bytesEqual(encodeSignatureLists(lists), bytes)) throw new Error('written otherwise than read');
  },
};
