// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { decodeCertificates, decodeSignedData, verifySignedData } from '@vouchsafe/pki';
import type { FuzzTarget } from '@vouchsafe/testing';
import { readTestdata } from '../test/testdata.ts';

const CONTENT = readTestdata('cms/content.txt');
const TRUSTED = ['rsa', 'p256', 'p384'].flatMap((name) => decodeCertificates(readTestdata(`certificates/${name}.pem`)));
const MESSAGES = ['rsa-noattr-nocerts', 'p256-key-identifier', 'rsa-attached', 'rsa-pss', 'two-signers'];

/** Bytes as a signed message, checked by trusted certificates: whatever verifies is the content that was signed. */
export const target: FuzzTarget = {
  name: 'pki-signed-data',
  seeds: () => MESSAGES.map((name) => readTestdata(`cms/${name}.der`)),
  run(bytes) {
    const signedData = decodeSignedData(bytes);
    const content = signedData.content === undefined ? { content: CONTENT } : {};
    const verified = verifySignedData(signedData, { trusted: TRUSTED, ...content });
    if (!bytesEqual(verified.content, CONTENT)) throw new Error('other content verified than was signed');
  },
};
