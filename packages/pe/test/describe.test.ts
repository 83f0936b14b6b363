// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { buildUki, describeUki, openPe, type UkiContents } from '@vouchsafe/pe';
import { needsVectors } from '@vouchsafe/testing';
import { madeBytes, madeStub } from './made-pe.ts';
import { openBytes, openImage, written } from './support.ts';

const SBAT = 'sbat,1,SBAT Version,sbat,1,https://example.org/\nstub.made,1,Made,stub,1,https://example.org/\n';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function made(contents: UkiContents): Promise<Uint8Array> {
  return written((sink) => buildUki(madeStub({ sbat: SBAT }), contents, sink));
}

/** Counts the octets that are read. */
function counting(bytes: Uint8Array): { source: ByteSource; read: () => number } {
  const source = memorySource(bytes, 'counted');
  let count = 0;
  const counted: ByteSource = {
    ...source,
    read(offset, target) {
      count += target.length;
      source.read(offset, target);
    },
  };
  return { source: counted, read: () => count };
}

test('an image: sections with sizes, digests and text', async () => {
  const kernel = madeBytes({ sbat: SBAT });
  const cmdline = utf8('quiet\0\0');
  const uki = describeUki(openBytes(await made({ linux: memorySource(kernel), cmdline, osrel: utf8('ID=x\n') })));
  assert.equal(uki.kind, 'uki');
  assert.equal(uki.machine, 'x64');
  assert.equal(uki.isNxCompatible, true);
  assert.deepEqual(uki.stub, { product: 'systemd-stub', version: '257.1', major: 257 });
  const section = (name: string) => uki.sections.find((candidate) => candidate.name === name);
  assert.equal(section('.cmdline')?.text, 'quiet');
  assert.equal(section('.cmdline')?.sizeBytes, 7);
  assert.equal(section('.cmdline')?.rawSizeBytes, 512);
  assert.deepEqual(section('.cmdline')?.digests, { sha256: sha256(cmdline) });
  assert.deepEqual(section('.linux')?.digests, { sha256: sha256(kernel) });
  assert.equal(section('.linux')?.text, undefined);
  assert.equal(section('.text')?.isExecutable, true);
  assert.deepEqual(
    uki.sbat?.map(({ name }) => name),
    ['sbat', 'stub.made', 'stub.made', 'uki'],
  );
  assert.deepEqual(uki.signatures, []);
});

test('large sections are not read unless their digests are asked for', async () => {
  const initrd = new Uint8Array(3 * 1024 * 1024).fill(7);
  const bytes = await made({ linux: memorySource(madeBytes({ sbat: SBAT })), initrds: [memorySource(initrd)] });
  const small = counting(bytes);
  const described = describeUki(openPe(small.source));
  assert.equal(described.sections.find(({ name }) => name === '.initrd')?.digests, undefined);
  assert.ok(small.read() < 32 * 1024, `${small.read()}`);
  const all = describeUki(openPe(memorySource(bytes)), { maxHashedBytes: Infinity, digests: ['sha1', 'sha256'] });
  const { digests } = all.sections.find(({ name }) => name === '.initrd') ?? {};
  assert.equal(digests?.sha256, sha256(initrd));
  assert.equal(digests?.sha1, createHash('sha1').update(initrd).digest('hex'));
});

test('profiles, addons, stubs and files of other kinds', async () => {
  const profile = ['.profile', '.cmdline'].map((name) => ({ name, content: memorySource(utf8('ID=a')) }));
  const bytes = await made({ linux: memorySource(madeBytes({ sbat: SBAT })), cmdline: utf8('q'), profiles: [profile] });
  const { sections } = describeUki(openBytes(bytes));
  assert.deepEqual(
    sections.filter(({ name }) => name === '.cmdline' || name === '.profile').map(({ profile: index }) => index),
    [undefined, 0, 0],
  );
  const kind = (sdmagic: string): string => describeUki(madeStub({ sdmagic })).kind;
  assert.equal(kind('#### LoaderInfo: systemd-stub 257.1 ####'), 'stub');
  assert.equal(kind('#### LoaderInfo: systemd-addon 257.1 ####'), 'addon');
  assert.equal(kind('#### LoaderInfo: systemd-boot 257.1 ####'), 'other');
  assert.equal(kind('another'), 'other');
});

test('an .sbat that cannot be read is told, and the rest is there', () => {
  const described = describeUki(madeStub({ sbat: 'no sbat' }));
  assert.equal(described.sbat, undefined);
  assert.match(described.sbatError ?? '', /expected SBAT/);
  assert.equal(described.sections.length, 3);
  assert.equal(describeUki(madeStub({ sbat: '\xff\n' })).sbat, undefined);
});

test('signatures: digest, signer, certificate, time', () => {
  const path = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
  const signature = (tool: string) =>
    describeUki(openBytes(Uint8Array.from(readFileSync(path(`made.${tool}.efi`))))).signatures[0];
  const timed = signature('osslsigncode');
  assert.equal(timed?.error, undefined);
  assert.equal(timed?.digest?.algorithm, 'sha256');
  assert.equal(timed?.signers[0]?.signingTimeMs, 1_700_000_000_000);
  assert.equal(timed?.certificates[0]?.subject, 'CN=test-only signer');
  assert.equal(signature('sbsign')?.digest?.value, timed?.digest?.value);
  assert.equal(JSON.parse(JSON.stringify(timed)).certificates.length, 1);
});

test('as ukify inspect shows it: names, sizes, digests, text', needsVectors('image', 'uki'), () => {
  const described = describeUki(openImage('uki', 'out', 'basic-stub257.ukify257.efi'));
  const shown = (name: string) => described.sections.find((section) => section.name === name);
  // Inputs of the vectors, hashed by sha256sum in MANIFEST.tsv.
  assert.deepEqual(
    [shown('.cmdline')?.sizeBytes, shown('.cmdline')?.digests?.sha256],
    [23, 'a99bd03b7b34d0aed6c243743684f802736cb0e069139e6eff85e340a5fad64f'],
  );
  assert.deepEqual(
    [shown('.linux')?.sizeBytes, shown('.linux')?.digests?.sha256],
    [70_001, 'e551a42c96ea534f60d2888ade55e82379489b0dcc1b0c7a7dee95c202320cd0'],
  );
  assert.equal(shown('.uname')?.text, '6.1.0-56-amd64');
});
