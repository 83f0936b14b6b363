// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsTool } from '@vouchsafe/testing';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
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

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The suite and what `@vouchsafe/crypto` is to a browser's bundler, as one script that leaves a function behind. */
async function bundle(): Promise<string> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../../../', import.meta.url)), // what the paths below are relative to
    entryPoints: [fileURLToPath(new URL('suite/in-browser.ts', import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    platform: 'browser',
    conditions: ['browser'],
    target: 'chrome120',
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(
    inputs.some((path) => path === 'packages/crypto/src/browser/index.ts'),
    'the browser entry is in the bundle',
  );
  assert.ok(!inputs.some((path) => path.startsWith('packages/crypto/src/node/')), 'nothing of the Node entry is');
  return outputFiles[0]!.text;
}

test('the suite in Chromium', needsTool('chromium'), async (t) => {
  const script = await bundle();
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
  let outcomes: Outcome[];
  try {
    const page = await browser.newPage();
    await page.setContent('<!doctype html><title>crypto</title>');
    await page.addScriptTag({ content: script });
    outcomes = await page.evaluate(
      (vectors) => (globalThis as unknown as Page).runCryptoSuite(vectors),
      signatureVectors,
    );
  } finally {
    await browser.close();
  }
  assert.ok(outcomes.length > 30, `${outcomes.length} cases ran`);
  for (const { name, error } of outcomes) await t.test(name, () => assert.equal(error, undefined));
});
