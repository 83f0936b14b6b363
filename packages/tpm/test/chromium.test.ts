// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { toHex } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { needsTool } from '@vouchsafe/testing';
import { bundleForBrowser, inChromium } from '@vouchsafe/testing/browser';
import { decodePublic, ekTemplate, publicArea, tpm2bPublic } from '@vouchsafe/tpm';
import { type Answers, type Inputs, runTpm } from './browser/in-browser.ts';
import { parsePcrFile, testdata } from './support.ts';

/** Templates with a real key put in: as good as an endorsement key to send secrets to. */
function eks(): Uint8Array[] {
  const ecc = decodePublic(testdata('quote/ecc-ecdsa.pub')).value;
  const rsa = decodePublic(testdata('quote/rsa-rsassa.pub')).value;
  return [ekTemplate('L-1').template.value, ekTemplate('L-2').template.value].map((area) => {
    const { unique } = area.type === 'rsa' ? rsa : ecc;
    return encode(tpm2bPublic, publicArea({ ...area, unique } as typeof area));
  });
}

test(
  'quotes, credentials, imports, policies and commands are the same in Chromium',
  needsTool('chromium'),
  async () => {
    const bundle = await bundleForBrowser(fileURLToPath(new URL('browser/in-browser.ts', import.meta.url)));
    assert.ok(!bundle.inputs.some((path) => path.includes('/src/node/')), 'nothing of Node is in the bundle');
    const inputs: Inputs = {
      area: toHex(testdata('quote/rsa-rsapss.pub')),
      attest: toHex(testdata('quote/rsa-rsapss.attest')),
      signature: toHex(testdata('quote/rsa-rsapss.sig')),
      nonce: toHex(testdata('quote/nonce.bin')),
      pcrs: parsePcrFile(testdata('quote/rsa-rsapss.pcrs')).values.map(({ value }) => toHex(value)),
      eks: eks().map(toHex),
    };
    const inPage = await inChromium(bundle, (page) =>
      page.evaluate((given) => (globalThis as unknown as { runTpm(inputs: Inputs): Answers }).runTpm(given), inputs),
    );
    assert.deepEqual(inPage, runTpm(inputs));
    assert.deepEqual([inPage.quoted, inPage.refused], [inputs.pcrs, 'quote_nonce']);
    assert.equal(inPage.made.length, 8);
  },
);
