// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { type PredictedEvent, replayPredicted } from '@vouchsafe/manifest';
import { predictUki } from '@vouchsafe/measure';
import { appendSections, type NewSection, openPe, type PeFile } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';

const UKIS = needsVectors('image', 'uki');
const BANKS = ['sha1', 'sha256', 'sha384', 'sha512'] as const;

const input = (name: string): Uint8Array => Uint8Array.from(readFileSync(vectorPath('image', 'uki', 'inputs', name)));

/** A stub with sections, which need not make a UKI that boots. */
async function made(stub: string, sections: Readonly<Record<string, Uint8Array>>): Promise<PeFile> {
  const path = vectorPath('image', 'uki', 'stubs', `linuxx64-${stub}.efi.stub`);
  const added = Object.entries(sections).map(
    ([name, content]): NewSection => ({ name, content: memorySource(content) }),
  );
  const sink = new MemorySink(1024 * 1024);
  await appendSections(openPe(memorySource(Uint8Array.from(readFileSync(path)))), added, sink);
  return openPe(memorySource(sink.bytes(), 'UKI'));
}

const start = { isSecureBootOn: true };
const ofPcr = (events: readonly PredictedEvent[], pcr: number): PredictedEvent[] =>
  events.filter((event) => event.pcr === pcr);

const BASIC = {
  '.linux': 'fake-linux.bin',
  '.osrel': 'os-release',
  '.cmdline': 'cmdline',
  '.initrd': 'fake-initrd.bin',
  '.splash': 'splash.bmp',
  '.dtb': 'fake-dtb.bin',
  '.pcrpkey': 'pcrpkey.pem',
} as const;

test('systemd-measure computes the same PCR 11 for stub 252, before any phase, in each bank', UKIS, async () => {
  const sections = Object.fromEntries(Object.entries(BASIC).map(([name, file]) => [name, input(file)]));
  const banks = BANKS.filter((bank) => bank !== 'sha512');
  const events = predictUki(banks, await made('252.39', sections), start);
  const file = vectorPath('image', 'uki', 'measure', 'calc-phase-none.252.json');
  const expected = JSON.parse(readFileSync(file, 'utf8')) as Record<string, { hash: string }[]>;
  for (const bank of banks) {
    assert.equal(toHex(replayPredicted(bank, events).get(11) ?? new Uint8Array()), expected[bank]?.[0]?.hash);
  }
});

test('stub 252 leaves .uname and .sbat alone, 257 measures both', UKIS, async () => {
  const sections = { '.cmdline': utf8('a'), '.uname': utf8('6.1') };
  const names = async (stub: string): Promise<(string | undefined)[]> => {
    const events = ofPcr(predictUki(['sha256'], await made(stub, sections), start), 11);
    return events.map(({ origin }) => origin.section).filter((_, i) => i % 2 === 0);
  };
  assert.deepEqual(await names('252.39'), ['.cmdline']);
  assert.deepEqual(await names('257.13'), ['.cmdline', '.uname', '.sbat']);
});

test('a replay in a bank that was not predicted is refused', () => {
  const event = { pcr: 4, description: 'x', origin: { artefact: 'x' }, digests: new Map() };
  assert.throws(() => replayPredicted('sha256', [event]), { code: 'bank_unsupported' });
});
