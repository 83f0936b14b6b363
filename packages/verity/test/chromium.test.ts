// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool } from '@vouchsafe/testing';
import { bundleForBrowser, inChromium } from '@vouchsafe/testing/browser';
import { type Answers, runVerity } from './browser/in-browser.ts';

test('trees, checks and verified reads are the same in Chromium', needsTool('chromium'), async () => {
  const bundle = await bundleForBrowser(fileURLToPath(new URL('browser/in-browser.ts', import.meta.url)));
  assert.ok(!bundle.inputs.some((path) => path.includes('/src/node/')), 'nothing of Node is in the bundle');
  const inPage = await inChromium(bundle, (page) =>
    page.evaluate(() => (globalThis as unknown as { runVerity(): Promise<Answers> }).runVerity()),
  );
  assert.deepEqual(inPage, await runVerity());
  assert.deepEqual([inPage.isGood, inPage.corruptBlocks, inPage.readError], [true, [7], 'block_corrupt']);
});
