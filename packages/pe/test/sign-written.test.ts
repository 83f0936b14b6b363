// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { memorySource } from '@vouchsafe/bytes';
import { appendSections, checksumOf, type PeFile, type SignPeOptions, signPe, signWrittenPe } from '@vouchsafe/pe';
import { openKeyFileSigner } from '@vouchsafe/pki/node';
import fc from 'fast-check';
import { madeStub } from './made-pe.ts';
import { openBytes, written } from './support.ts';

const testdata = (path: string): string => fileURLToPath(new URL(`../testdata/${path}`, import.meta.url));
const OPTIONS: SignPeOptions = {
  signer: await openKeyFileSigner({
    keyPath: testdata('keys/signer.test-only.key'),
    certificatePath: testdata('signer.pem'),
  }),
};

/** The file with what is written over it. */
async function signedInPlace(pe: PeFile, bytes: Uint8Array): Promise<Uint8Array> {
  return written(async (sink) => {
    sink.write(0, bytes);
    await signWrittenPe(pe, sink, OPTIONS);
  });
}

test('signed where it was written, a file has the same octets as signed to another place', async () => {
  const content = fc.uint8Array({ minLength: 1, maxLength: 3000 });
  await fc.assert(
    fc.asyncProperty(content, fc.boolean(), async (octets, hasChecksum) => {
      const added = [{ name: '.data2', content: memorySource(octets) }];
      const bytes = await written((sink) => appendSections(madeStub({}), added, sink, { hasChecksum }));
      const expected = await written((sink) => signPe(openBytes(bytes), sink, OPTIONS));
      const found = await signedInPlace(openBytes(bytes), bytes);
      assert.deepEqual(found, expected);
      const pe = openBytes(found);
      assert.equal(pe.optionalHeader.checkSum, checksumOf(pe.source, pe.offsets.optionalHeader + 64));
      // A second signature, too.
      const twice = await written((sink) => signPe(pe, sink, OPTIONS));
      assert.deepEqual(await signedInPlace(pe, found), twice);
    }),
    { numRuns: 30 },
  );
});
