// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { ElfFile } from '@vouchsafe/image';
import { needsTool } from '@vouchsafe/testing';
import fc from 'fast-check';
import { codeOf, elfOf, programOf } from './support.ts';

const open = (bytes: Uint8Array): ElfFile => new ElfFile(memorySource(bytes, 'made'));

/** Everything that the product asks of a file. */
function readAll(bytes: Uint8Array): void {
  const elf = open(bytes);
  elf.section('.modinfo');
  elf.section('.interp');
  elf.neededLibraries();
}

test('sections by name, and libraries in order', () => {
  const elf = open(programOf(['libb.so.1', 'liba.so'], '/lib64/ld.so'));
  assert.deepEqual(elf.neededLibraries(), ['libb.so.1', 'liba.so']);
  assert.deepEqual(elf.section('.interp'), utf8('/lib64/ld.so\0'));
  assert.equal(elf.section('.none'), undefined);
  assert.deepEqual(open(elfOf([])).neededLibraries(), []);
});

test('readelf sees the same libraries', needsTool('readelf'), () => {
  const program = '/usr/bin/readelf';
  const said = execFileSync('readelf', ['-d', program], { encoding: 'utf8' });
  const expected = [...said.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name);
  using source = FileSource.open(program);
  assert.deepEqual(new ElfFile(source).neededLibraries(), expected);
  assert.ok(expected.length > 0);
});

test('every truncation is malformed', () => {
  const bytes = programOf(['liba.so'], '/lib64/ld.so');
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(
      codeOf(() => readAll(bytes.subarray(0, length))),
      'elf_malformed',
      `cut to ${length}`,
    );
  }
});

for (const [what, at, octets] of [
  ['another magic', 0, [0x7e]],
  ['32 bit', 4, [1]],
  ['big-endian', 5, [2]],
  ['section headers of another size', 58, [63, 0]],
  ['section headers beyond the file', 40, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ['more sections than the file has', 60, [0xff, 0xff]],
  ['no sections', 60, [0, 0]],
  ['names in a section that is not there', 62, [0xff, 0xff]],
] as const) {
  test(`${what} is malformed`, () => {
    const bytes = programOf(['liba.so']);
    bytes.set(octets, at);
    assert.equal(
      codeOf(() => readAll(bytes)),
      'elf_malformed',
    );
  });
}

test('names and numbers of libraries have limits', () => {
  const long = (length: number): Uint8Array => programOf(['a'.repeat(length)]);
  assert.equal(open(long(4096)).neededLibraries()[0]?.length, 4096);
  assert.equal(
    codeOf(() => open(long(4097)).neededLibraries()),
    'elf_malformed',
  );
  const many = (count: number): Uint8Array => programOf(Array.from({ length: count }, (_, i) => `l${i}`));
  assert.equal(open(many(1000)).neededLibraries().length, 1000);
  assert.equal(
    codeOf(() => open(many(1001)).neededLibraries()),
    'elf_malformed',
  );
});

test('whatever is changed in a file, it is read or it is malformed', () => {
  const good = programOf(['liba.so', 'libb.so'], '/lib64/ld.so');
  const change = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = good.slice();
      for (const [at, octet] of changes) bytes[at] = octet;
      try {
        readAll(bytes);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'elf_malformed', String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
