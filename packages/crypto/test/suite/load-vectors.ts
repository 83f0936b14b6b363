// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { SignatureVectors } from './vectors.ts';

/** testdata/signatures.json; for Node alone, a browser is handed them. */
export const signatureVectors = JSON.parse(
  readFileSync(new URL('../../testdata/signatures.json', import.meta.url), 'utf8'),
) as SignatureVectors;
