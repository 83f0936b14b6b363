// SPDX-License-Identifier: Apache-2.0
import * as entry from '@vouchsafe/crypto';
import { plainCheck, suite } from './suite.ts';
import type { SignatureVectors } from './vectors.ts';

/** What chromium.test.ts calls in the page: runs every case, and says what each came to. */
function runCryptoSuite(vectors: SignatureVectors): { name: string; error: string | undefined }[] {
  return suite({ entry, vectors }).map(({ name, run }) => {
    try {
      run(plainCheck(entry));
      return { name, error: undefined };
    } catch (error) {
      return { name, error: String(error) };
    }
  });
}

Object.assign(globalThis, { runCryptoSuite });
