// SPDX-License-Identifier: Apache-2.0
// A page appraises recorded evidence: the same verdict as in Node.js, byte for byte.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadCedar } from '@vouchsafe/appraise/node';
import { needsTool } from '@vouchsafe/testing';
import { bundleForBrowser, inChromium } from '@vouchsafe/testing/browser';
import { verdictText } from './browser/in-browser.ts';

type Page = typeof globalThis & { appraiseInPage(wasm: string, bundleText: string): string };

test(
  'a real boot and a tampered log of it are appraised in Chromium as in Node.js',
  needsTool('chromium'),
  async () => {
    const good = readFileSync(new URL('../testdata/boot-with-ima.json', import.meta.url), 'utf8');
    const document = JSON.parse(good) as { evidence: { logs: { firmware: string } } };
    const log = Buffer.from(document.evidence.logs.firmware, 'base64');
    log[log.length - 1] = (log.at(-1) ?? 0) ^ 1;
    document.evidence.logs.firmware = log.toString('base64');
    const texts = [good, JSON.stringify(document)];
    const wasm = readFileSync(
      new URL('cedar_wasm_bg.wasm', import.meta.resolve('@cedar-policy/cedar-wasm/web')),
    ).toString('base64');
    const bundle = await bundleForBrowser(fileURLToPath(new URL('browser/page.ts', import.meta.url)));
    assert.ok(!bundle.inputs.some((path) => path.includes('/src/node/')), 'nothing of Node is in the bundle');
    const inPage = await inChromium(bundle, (page) =>
      page.evaluate(
        ([code, ...all]) => all.map((one) => (globalThis as Page).appraiseInPage(code ?? '', one)),
        [wasm, ...texts],
      ),
    );
    assert.deepEqual(
      inPage,
      texts.map((one) => verdictText(loadCedar(), one)),
    );
    assert.deepEqual(
      inPage.map((one) => (JSON.parse(one) as { status: string }).status),
      ['affirming', 'contraindicated'],
    );
  },
);
