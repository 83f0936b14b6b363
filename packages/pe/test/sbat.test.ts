// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@vouchsafe/base';
import { checkSbat, type PeFile, parseSbat, parseSbatLevel } from '@vouchsafe/pe';
import { needsVectors } from '@vouchsafe/testing';
import fc from 'fast-check';
import { madeBytes, madeStub } from './made-pe.ts';
import { openBytes, openImage } from './support.ts';

const HEADER = 'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md';
const GRUB = 'grub,3,Free Software Foundation,grub,2.06,https://www.gnu.org/software/grub/';
const image = (sbat: string): PeFile => madeStub({ sbat });
const codes = (sbat: string, level: string): string[] =>
  checkSbat(image(sbat), parseSbatLevel(level)).map(({ code }) => code);

test("shim's own levels, as its SbatLevel_Variable.txt has them", () => {
  const level = parseSbatLevel('sbat,1,2022111500\nshim,2\ngrub,3\n');
  assert.equal(level.datestamp, '2022111500');
  assert.deepEqual(
    [...level.generations],
    [
      ['sbat', 1],
      ['shim', 2],
      ['grub', 3],
    ],
  );
  assert.equal(parseSbatLevel('sbat,1\n').datestamp, undefined);
});

test('generations are compared by component', () => {
  const text = `${HEADER}\n${GRUB}\n`;
  assert.deepEqual(codes(text, 'sbat,1,2022111500\ngrub,3\n'), []);
  assert.deepEqual(codes(text, 'sbat,1,2022111500\ngrub,2\nshim,9\n'), []);
  assert.deepEqual(codes(text, 'sbat,1,2024010900\ngrub,4\n'), ['sbat_revoked']);
  assert.deepEqual(codes(text, 'sbat,2\n'), ['sbat_revoked']);
  // The first line of a component counts, as for shim.
  assert.deepEqual(codes(text, 'sbat,1\ngrub,3\ngrub,4\n'), []);
  const [found] = checkSbat(image(text), parseSbatLevel('sbat,1\ngrub,4\n'));
  assert.deepEqual([found?.expected, found?.actual], ['grub of generation 4 or later', '3']);
});

test('an image without .sbat, or with one that shim cannot read', () => {
  const level = parseSbatLevel('sbat,1\n');
  const bytes = madeBytes();
  bytes.set(utf8('.other\0\0'), 0x40 + 24 + 112 + 128 + 40);
  assert.deepEqual(
    checkSbat(openBytes(bytes), level).map(({ code }) => code),
    ['sbat_missing'],
  );
  assert.deepEqual(codes('grub,1,a,b,c,d\n', 'sbat,1\n'), ['sbat_malformed']);
  assert.deepEqual(codes(`${HEADER}\ngrub,3,a,b,c\n`, 'sbat,1\n'), ['sbat_malformed']);
});

test('the .sbat of a stub and of an image', needsVectors('image', 'boot'), () => {
  const pe = openImage('boot', 'uki-257.13-signed.efi');
  assert.deepEqual(checkSbat(pe, parseSbatLevel('sbat,1,2024010900\nshim,4\ngrub,3\nsystemd-stub,1\n')), []);
  const findings = checkSbat(pe, parseSbatLevel('sbat,1\nsystemd-stub,2\nuki,2\n'));
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['sbat_revoked', 'sbat_revoked'],
  );
});

const MALFORMED: readonly [what: string, text: string, line: number | undefined][] = [
  ['nothing', '', 1],
  ['another first line', 'grub,1\n', 1],
  ['generation 0', 'sbat,1\ngrub,0\n', 2],
  ['generation 65536, which shim takes for 0', 'sbat,1\ngrub,65536\n', 2],
  ['a negative generation', 'sbat,1\ngrub,-1\n', 2],
  ['no number', 'sbat,1\ngrub,x\n', 2],
  ['a fraction', 'sbat,1\ngrub,1.5\n', 2],
  ['an empty column', 'sbat,1\n\ngrub,\n', 3],
  ['one column', 'sbat,1\ngrub\n', 2],
  ['a date of 9 digits', 'sbat,1,202211150\n', 1],
];

for (const [what, text, line] of MALFORMED) {
  test(`a level that is refused: ${what}`, () => {
    assert.throws(() => parseSbatLevel(text), { name: 'PeError', code: 'sbat_malformed', line });
  });
}

test('bounds: generations, lines', () => {
  assert.equal(parseSbatLevel('sbat,1\ngrub,65535').generations.get('grub'), 65_535);
  const lines = (count: number): string => `sbat,1\n${'a,1\n'.repeat(count)}`;
  assert.equal(parseSbatLevel(lines(1023)).generations.size, 2);
  assert.throws(() => parseSbatLevel(lines(1024)), { code: 'limit' });
  assert.throws(() => parseSbatLevel('\n'.repeat(100_000)), { code: 'limit' });
});

test('any text gives components or a coded error; what was written is read', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('s', 'b', 'a', 't', ',', '1', '\n', '\0', 'é') }), (text) => {
      for (const parse of [parseSbat, parseSbatLevel]) {
        try {
          parse(text);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'sbat_malformed');
        }
      }
    }),
  );
  const word = fc.string({ unit: fc.constantFrom('a', 'z', '.', '-', '9'), minLength: 1, maxLength: 8 });
  const component = fc.tuple(word, fc.integer({ min: 1, max: 65_535 }), word, word, word, word);
  fc.assert(
    fc.property(fc.array(component, { maxLength: 5 }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
      const parsed = parseSbat(`${[HEADER, ...rows.map((row) => row.join(','))].join(end)}${end}\0`);
      assert.deepEqual(
        parsed.slice(1).map((c) => [c.name, c.generation, c.vendorName, c.vendorPackage, c.vendorVersion, c.vendorUrl]),
        rows,
      );
    }),
  );
});
