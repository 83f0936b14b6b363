// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { checkUki, describeUki, openPe, type PeFile, readShimSbatLevels } from '@vouchsafe/pe';
import { madeBytes, madeStub } from './made-pe.ts';

const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const AUTOMATIC = 'sbat,1,2025021800\nshim,4\n';
const LATEST = 'sbat,1,2025051000\nshim,4\nstub.made,2\n';
const LEVELS = concatBytes(u32(0, 8, 8 + AUTOMATIC.length + 1), utf8(`${AUTOMATIC}\0${LATEST}\0`));

/** A shim in name alone: its section is called '/4', and the string table at the end has the long name. */
function shim(content: Uint8Array, { offset = '/4', names = '.sbatlevel\0' } = {}): PeFile {
  const made = madeBytes({ sdmagic: String.fromCharCode(...content) });
  const bytes = concatBytes(made, u32(4 + names.length), utf8(names));
  const at = Buffer.from(bytes).indexOf('.sdmagic');
  bytes.set(utf8(offset.padEnd(8, '\0')), at);
  new DataView(bytes.buffer).setUint32(0x40 + 4 + 8, made.length, true);
  return openPe(memorySource(bytes, 'shim.efi'));
}

test('the levels in a shim are found by the long name of their section', () => {
  const levels = readShimSbatLevels(shim(LEVELS));
  assert.deepEqual(levels?.automatic, {
    datestamp: '2025021800',
    generations: new Map(Object.entries({ sbat: 1, shim: 4 })),
  });
  assert.equal(levels?.latest.generations.get('stub.made'), 2);
  const { sections, shimSbatLevels } = describeUki(shim(LEVELS));
  assert.deepEqual(
    sections.flatMap(({ name, longName }) => (longName === undefined ? [] : [[name, longName]])),
    [['/4', '.sbatlevel']],
  );
  assert.equal(shimSbatLevels?.latest.datestamp, '2025051000');
});

test('what is no such section is none', () => {
  for (const options of [
    { offset: '/5' },
    { offset: '/9999999' },
    { offset: '/x' },
    { offset: '/' },
    { names: '.sbatlevel' },
    { names: '.sbatlevels\0' },
    { names: '\0' },
  ]) {
    assert.equal(readShimSbatLevels(shim(LEVELS, options)), undefined, JSON.stringify(options));
  }
  assert.equal(readShimSbatLevels(madeStub({})), undefined);
  assert.equal(describeUki(madeStub({})).shimSbatLevels, undefined);
});

test('levels that lie about where they are, or end early, are refused', () => {
  for (const [what, content] of [
    ['another version', concatBytes(u32(1), LEVELS.subarray(4))],
    ['an offset beyond the end', concatBytes(u32(0, 8, 4000), LEVELS.subarray(12))],
    ['an offset that wraps', concatBytes(u32(0, 0xffff_fffc, 8), LEVELS.subarray(12))],
    ['no NUL', LEVELS.subarray(0, -1)],
    ['no level', concatBytes(u32(0, 8, 8), utf8('shim,4\n\0'))],
    ['a header cut short', LEVELS.subarray(0, 11)],
  ] as const) {
    // Padding of the file is not part of the section: VirtualSize says where it ends.
    assert.throws(() => readShimSbatLevels(shim(content)), { name: 'PeError', code: 'sbat_malformed' }, what);
    assert.equal(describeUki(shim(content)).shimSbatLevels, undefined);
  }
});

test('what shim enforces stops an image, what it can be told to is a warning', () => {
  const { automatic, latest } = readShimSbatLevels(shim(LEVELS)) ?? assert.fail();
  const image = madeStub({
    sbat: 'sbat,1,SBAT Version,sbat,1,https://example.org\nstub.made,1,Made,stub,1,https://example.org\n',
  });
  const revoked = (context: Parameters<typeof checkUki>[1]) =>
    checkUki(image, context)
      .filter(({ code }) => code === 'sbat_revoked')
      .map(({ severity }) => severity);
  assert.deepEqual(revoked({ sbatLevel: automatic }), []);
  assert.deepEqual(revoked({ sbatLevel: automatic, laterSbatLevel: latest }), ['warning']);
  assert.deepEqual(revoked({ sbatLevel: latest, laterSbatLevel: latest }), ['error']);
});
