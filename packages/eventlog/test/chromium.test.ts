// SPDX-License-Identifier: Apache-2.0
// A page replays logs and checks the quote over them: of a software TPM here, of a whole boot where the vectors are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toHex, utf8 } from '@vouchsafe/base';
import { decodeLog, digestOf } from '@vouchsafe/eventlog';
import { needsTool, needsVectors, startSwtpm, tempDir } from '@vouchsafe/testing';
import { bundleForBrowser, inChromium } from '@vouchsafe/testing/browser';
import { type Answers, type Evidence, runEvidence } from './browser/in-browser.ts';
import { readVector } from './support.ts';

const TESTDATA = fileURLToPath(new URL('../testdata/', import.meta.url));
const testdata = (name: string): Uint8Array => Uint8Array.from(readFileSync(join(TESTDATA, name)));

async function inPage(evidence: Evidence): Promise<Answers> {
  const bundle = await bundleForBrowser(fileURLToPath(new URL('browser/in-browser.ts', import.meta.url)));
  assert.ok(!bundle.inputs.some((path) => path.includes('/src/node/')), 'nothing of Node is in the bundle');
  return inChromium(bundle, (page) =>
    page.evaluate(
      (given) => (globalThis as unknown as { runEvidence(e: Evidence): Answers }).runEvidence(given),
      evidence,
    ),
  );
}

const PCRS = [4, 7, 9, 10, 11];

test(
  'a boot log and an IMA list are replayed, and a quote over their PCRs checked, in Chromium as in Node.js',
  needsTool('chromium', 'swtpm', 'tpm2_quote'),
  async (t) => {
    const logs = ['tcg/agile.bin', 'ima/templates.txt'].map(testdata);
    const swtpm = await startSwtpm(t, tempDir(t));
    // The TPM is extended with what the logs say, in every PCR that is quoted.
    for (const bytes of logs) {
      for (const event of decodeLog(bytes).events) {
        const digest = event.source === 'ima' ? undefined : digestOf(event, 'sha256');
        if (event.type === 'EV_NO_ACTION' || event.pcr === undefined || !PCRS.includes(event.pcr)) continue;
        if (digest === undefined)
          await swtpm.tool('tpm2_pcrevent', String(event.pcr), await data(swtpm.dir, event.data));
        else await swtpm.tool('tpm2_pcrextend', `${event.pcr}:sha256=${toHex(digest)}`);
      }
    }
    await swtpm.tool('tpm2_createek', '-c', 'ek.ctx', '-G', 'ecc', '-u', 'ek.pub');
    await swtpm.tool('tpm2_flushcontext', '-t');
    await swtpm.tool('tpm2_createak', '-C', 'ek.ctx', '-c', 'ak.ctx', '-u', 'ak.pub', '-G', 'ecc', '-s', 'ecdsa');
    await swtpm.tool('tpm2_flushcontext', '-t');
    const nonce = toHex(utf8('a nonce of a test'));
    const selection = `sha256:${PCRS.join(',')}`;
    const made = ['-m', 'quote.attest', '-s', 'quote.sig', '-q', nonce, '-l', selection];
    await swtpm.tool('tpm2_quote', '-c', 'ak.ctx', ...made);
    const file = (name: string): string => toHex(Uint8Array.from(readFileSync(join(swtpm.dir, name))));
    await swtpm.tool('tpm2_pcrread', selection, '-o', 'pcrs.bin');
    const values = file('pcrs.bin').match(/.{64}/g) ?? [];
    const evidence: Evidence = {
      logs: logs.map(toHex),
      publicArea: file('ak.pub'),
      attest: file('quote.attest'),
      signature: file('quote.sig'),
      nonce,
      pcrs: PCRS.map((pcr, i) => ({ pcr, value: values[i] ?? '' })),
    };
    const answers = await inPage(evidence);
    assert.deepEqual(answers, runEvidence(evidence));
    assert.deepEqual([answers.quotedPcrs, answers.findings, answers.refusal], [PCRS, [], 'quote_nonce']);
    assert.deepEqual(
      answers.events.map(([kind]) => kind),
      ['tcg', 'ima'],
    );
  },
);

async function data(dir: string, bytes: Uint8Array): Promise<string> {
  const path = join(dir, 'event.bin');
  await writeFile(path, bytes);
  return path;
}

test(
  "boot vectors: a whole boot's log and quote, in Chromium as in Node.js",
  needsVectors('boot').skip === undefined ? needsTool('chromium') : needsVectors('boot'),
  async () => {
    const quote = (name: string): Uint8Array => readVector('boot', 'quote', 'full-ima', name);
    const pcrs = quote('quote.pcrs');
    // tpm2-tss' structures as they lie in memory: two lists of eight digests, each in a field of 66 octets.
    const quotedValue = (pcr: number): Uint8Array => {
      const at = 136 + 532 * Math.floor(pcr / 8) + 4 + 66 * (pcr % 8) + 2;
      return pcrs.subarray(at, at + 32);
    };
    const evidence: Evidence = {
      logs: [toHex(readVector('boot', 'evlog', 'full-ima.bin'))],
      publicArea: toHex(quote('ak.pub')),
      attest: toHex(quote('quote.msg')),
      signature: toHex(quote('quote.sig')),
      nonce: toHex(quote('nonce.bin')),
      pcrs: Array.from({ length: 16 }, (_, pcr) => ({ pcr, value: toHex(quotedValue(pcr)) })),
    };
    const answers = await inPage(evidence);
    assert.deepEqual(answers, runEvidence(evidence));
    assert.deepEqual([answers.findings, answers.quotedPcrs.length, answers.refusal], [[], 16, 'quote_nonce']);
  },
);
