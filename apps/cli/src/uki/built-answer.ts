// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import type { Certificate } from '@vouchsafe/pki';
import { printable } from '../printable.ts';

/** What there is to say of an image that was written. */
export function builtAnswer(path: string, certificate: Certificate | undefined) {
  const sizeBytes = statSync(path).size;
  const signedBy = certificate?.subject.text;
  const signature = signedBy === undefined ? 'not signed' : `signed by ${printable(signedBy)}`;
  return {
    text: `${path}: ${sizeBytes} octets, ${signature}`,
    document: { output: path, sizeBytes, ...(signedBy === undefined ? {} : { signedBy }) },
  };
}
