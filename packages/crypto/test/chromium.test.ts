// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool } from '@vouchsafe/testing';
import { bundleForBrowser, inChromium } from '@vouchsafe/testing/browser';
import { signatureVectors } from './suite/load-vectors.ts';
import type { SignatureVectors } from './suite/vectors.ts';

interface Outcome {
  readonly name: string;
  readonly error: string | undefined;
}

/** What suite/in-browser.ts leaves in the page. */
interface Page {
  runCryptoSuite(vectors: SignatureVectors): Outcome[];
}

test('the suite in Chromium', needsTool('chromium'), async (t) => {
  const bundle = await bundleForBrowser(fileURLToPath(new URL('suite/in-browser.ts', import.meta.url)));
  assert.ok(bundle.inputs.includes('packages/crypto/src/browser/index.ts'), 'the browser entry is in the bundle');
  assert.ok(
    !bundle.inputs.some((path) => path.startsWith('packages/crypto/src/node/')),
    'nothing of the Node entry is',
  );
  const outcomes = await inChromium(bundle, (page) =>
    page.evaluate((vectors) => (globalThis as unknown as Page).runCryptoSuite(vectors), signatureVectors),
  );
  assert.ok(outcomes.length > 30, `${outcomes.length} cases ran`);
  for (const { name, error } of outcomes) await t.test(name, () => assert.equal(error, undefined));
});
