// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { concatBytes, toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { replayPredicted } from '@vouchsafe/manifest';
import { type Pcr11Value, parsePhasePath, predictPcr11, predictPhases, predictUki } from '@vouchsafe/measure';
import type { PeFile } from '@vouchsafe/pe';
import { needsVectors, vectorPath } from '@vouchsafe/testing';
import fc from 'fast-check';
import { type MadeSection, madeUki } from './made-uki.ts';
import { BANKS, basicSections, fullSections, openVector, readVector, textOf } from './support.ts';

const UKIS = needsVectors('image', 'uki');
const VERSIONS = [252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 262];
const SHUTDOWN = 'enter-initrd:leave-initrd:sysinit:ready:shutdown:final';

/** In the form of `systemd-measure calculate --json`. */
function asJson(values: readonly Pcr11Value[]): Record<string, object[]> {
  const banks = new Map<string, object[]>();
  for (const { bank, phase, value } of values) {
    const entry = { ...(phase === '' ? {} : { phase }), pcr: 11, hash: toHex(value) };
    banks.set(bank, [...(banks.get(bank) ?? []), entry]);
  }
  return Object.fromEntries(banks);
}

const calculated = (name: string): unknown => JSON.parse(textOf('uki', 'measure', `${name}.json`));
const linuxOnly = (): MadeSection[] => [['.linux', readVector('uki', 'inputs', 'fake-linux.bin')]];
const withProfile = (): MadeSection[] => [...basicSections(), ['.profile', readVector('uki', 'inputs', 'os-release')]];

for (const [vector, stubs, sections, options] of [
  ['calc-basic.252', [252, 253], fullSections, {}],
  ['calc-basic.252', VERSIONS, basicSections, {}],
  ['calc-basic.257', VERSIONS, basicSections, {}],
  ['calc-full.257', VERSIONS.slice(4), fullSections, {}],
  ['calc-profile.257', VERSIONS.slice(5), withProfile, {}],
  ['calc-basic.257', VERSIONS.slice(0, 5), withProfile, {}],
  ['calc-linux-only.252', VERSIONS, linuxOnly, {}],
  ['calc-linux-only.257', VERSIONS, linuxOnly, {}],
  ['calc-phase-none.252', VERSIONS, basicSections, { phases: [':'] }],
  ['calc-phase-none.257', VERSIONS, basicSections, { phases: [''] }],
  ['calc-phase-shutdown.252', VERSIONS, basicSections, { phases: [SHUTDOWN] }],
  ['calc-phase-shutdown.257', VERSIONS, basicSections, { phases: [SHUTDOWN, `:${SHUTDOWN}:`] }],
  ['calc-sha384.252', VERSIONS, basicSections, { banks: ['sha384'] }],
  ['calc-sha384.257', VERSIONS, basicSections, { banks: ['sha384'] }],
] as const) {
  test(`${vector}: stubs ${stubs[0]} to ${stubs.at(-1)} with ${sections.name}`, UKIS, () => {
    for (const stub of stubs) {
      const values = predictPcr11(madeUki(stub, sections()), { banks: BANKS, ...options });
      assert.deepEqual(asJson(values), calculated(vector), `${stub}`);
    }
  });
}

/** By hand, from a list of what is measured. */
function extended(names: readonly string[], sections: readonly MadeSection[]): string {
  let value: Uint8Array = new Uint8Array(32);
  const extend = (octets: Uint8Array): void => {
    value = digest('sha256', concatBytes(value, digest('sha256', octets)));
  };
  for (const name of names) {
    const content = sections.find((section) => section[0] === name)?.[1] ?? '';
    extend(utf8(`${name}\0`));
    extend(typeof content === 'string' ? utf8(content) : content);
  }
  return toHex(value);
}

const SEVERAL: readonly MadeSection[] = [
  '.hwids',
  '.ucode',
  '.sbat',
  '.uname',
  '.pcrpkey',
  '.linux',
  '.pcrsig',
  '.cmdline',
].map((name) => [name, `content of ${name}`]);
const first = (uki: PeFile, choice: object = {}): string =>
  toHex(predictPcr11(uki, { banks: ['sha256'], phases: [':'], ...choice })[0]?.value ?? new Uint8Array());

test('what each stub measures, in which order, never .pcrsig', () => {
  for (const [stub, names] of [
    [253, ['.linux', '.cmdline', '.pcrpkey']],
    [254, ['.linux', '.cmdline', '.uname', '.sbat', '.pcrpkey']],
    [255, ['.linux', '.cmdline', '.uname', '.sbat', '.pcrpkey']],
    [256, ['.linux', '.cmdline', '.ucode', '.uname', '.sbat', '.pcrpkey']],
    [257, ['.linux', '.cmdline', '.ucode', '.uname', '.sbat', '.pcrpkey', '.hwids']],
    [262, ['.linux', '.cmdline', '.ucode', '.uname', '.sbat', '.pcrpkey', '.hwids']],
  ] as const) {
    assert.equal(first(madeUki(stub, SEVERAL)), extended(names, SEVERAL), `${stub}`);
  }
});

test('of .dtbauto and .efifw the one that the machine matches, which must be said', () => {
  const several: readonly MadeSection[] = [
    ['.linux', 'l'],
    ['.dtbauto', 'first'],
    ['.dtbauto', 'second'],
    ['.efifw', 'firmware'],
  ];
  const linux = several.slice(0, 1);
  const second: readonly MadeSection[] = [...linux, ['.dtbauto', 'second'], ['.efifw', 'firmware']];
  // To these stubs .dtbauto is a .dtb, and the last one counts; of 256 nobody knows.
  assert.equal(first(madeUki(254, several)), extended(['.linux', '.dtb'], [...linux, ['.dtb', 'second']]));
  assert.throws(() => first(madeUki(256, several)), { code: 'stub_unknown' });
  assert.equal(first(madeUki(257, several), { deviceTree: 1 }), extended(['.linux', '.dtbauto'], second));
  assert.equal(first(madeUki(257, several), { deviceTree: null }), extended(['.linux'], linux));
  const chosen = { deviceTree: 1, firmware: 0 };
  assert.equal(first(madeUki(258, several), chosen), extended(['.linux', '.dtbauto', '.efifw'], second));
  for (const [choice, code] of [
    [{}, 'machine_dependent'],
    [{ deviceTree: 1 }, 'machine_dependent'],
    [{ deviceTree: 2, firmware: null }, 'options_invalid'],
    [{ deviceTree: -1, firmware: null }, 'options_invalid'],
  ] as const) {
    assert.throws(() => first(madeUki(258, several), choice), { code });
  }
});

test("a profile's sections stand in for the base's, the first of a name counts, and an empty one hides it", () => {
  const sections: readonly MadeSection[] = [
    ['.linux', 'l'],
    ['.cmdline', 'base'],
    ['.cmdline', 'ignored'],
    ['.splash', 's'],
    ['.profile', 'zero'],
    ['.profile', 'one'],
    ['.cmdline', 'one'],
    ['.splash', ''],
  ];
  const expected = (profile: string, cmdline: string, names: readonly string[]): string =>
    extended(names, [
      ['.linux', 'l'],
      ['.cmdline', cmdline],
      ['.splash', 's'],
      ['.profile', profile],
    ]);
  const zero = expected('zero', 'base', ['.linux', '.cmdline', '.splash', '.profile']);
  const uki = madeUki(257, sections);
  assert.equal(first(uki), zero);
  assert.equal(first(uki, { profile: 0 }), zero);
  assert.equal(first(uki, { profile: 1 }), expected('one', 'one', ['.linux', '.cmdline', '.profile']));
  for (const profile of [2, -1, 0.5, Number.NaN])
    assert.throws(() => first(uki, { profile }), { code: 'profile_unknown' });
  assert.throws(() => first(madeUki(256, sections), { profile: 1 }), { code: 'profile_unknown' });
  // Without profiles, the first is implied, and no other.
  assert.equal(first(madeUki(257, sections.slice(0, 2))), expected('', 'base', ['.linux', '.cmdline']));
  assert.throws(() => first(madeUki(257, sections.slice(0, 2)), { profile: 1 }), { code: 'profile_unknown' });
});

test('of several sections of a name the last counts up to stub 254, and the first from 257', () => {
  const sections: readonly MadeSection[] = [
    ['.linux', 'first'],
    ['.linuxes', 'second'],
    ['.linux', 'third'],
  ];
  const of = (content: string): string => extended(['.linux'], [['.linux', content]]);
  for (const stub of [252, 253, 254]) {
    assert.equal(first(madeUki(stub, sections)), of('third'));
    assert.equal(first(madeUki(stub, sections.slice(0, 2))), of('second'));
  }
  for (const stub of [255, 256]) assert.throws(() => first(madeUki(stub, sections)), { code: 'stub_unknown' });
  for (const stub of [257, 262]) assert.equal(first(madeUki(stub, sections)), of('first'));
});

test('the phases as events lead to the same value', () => {
  const uki = madeUki(257, SEVERAL);
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z][a-z-]{0,20}$/), { maxLength: 5 }), (words) => {
      const path = words.join(':');
      const events = [
        ...predictUki(['sha1'], uki, { isSecureBootOn: true, pcrs: [11] }),
        ...predictPhases(['sha1'], path),
      ];
      const [value] = predictPcr11(uki, { banks: ['sha1'], phases: [path] });
      assert.deepEqual(replayPredicted('sha1', events).get(11), value?.value);
      assert.equal(value?.phase, path);
    }),
  );
});

test('boot phase paths', () => {
  assert.deepEqual(parsePhasePath(':a::b:'), ['a', 'b']);
  assert.deepEqual(parsePhasePath(':'), []);
  assert.equal(parsePhasePath(Array(64).fill('a').join(':')).length, 64);
  assert.deepEqual(parsePhasePath('x'.repeat(64)), ['x'.repeat(64)]);
  const bad = ['a b', 'a\0', 'é', 'x'.repeat(65), Array(65).fill('a').join(':'), 'a:'.repeat(1e6)];
  for (const path of bad) assert.throws(() => parsePhasePath(path), { code: 'phase_invalid' }, path.slice(0, 20));
});

test('a file without a stub, or with one that nobody looked at, is refused', UKIS, () => {
  for (const version of [251, 263, 99999]) {
    assert.throws(() => first(madeUki(version, SEVERAL)), { code: 'stub_unknown' });
  }
  assert.throws(() => first(openVector('uki', 'out', 'addon-cmdline.ukify257.efi')), { code: 'stub_unknown' });
});

/** Not on PATH where Debian has it. */
const TOOL = '/usr/lib/systemd/systemd-measure';
const tool = existsSync(TOOL) ? UKIS : { skip: 'missing tool: systemd-measure' };

test('systemd-measure on this machine says the same of the UKIs of the vectors', tool, () => {
  const file = (...parts: string[]): string => vectorPath('image', ...parts);
  const argv = ['calculate', '--json=short', `--linux=${file('uki', 'inputs', 'fake-linux.bin')}`];
  argv.push(`--osrel=${file('uki', 'inputs', 'os-release')}`, `--initrd=${file('uki', 'inputs', 'fake-initrd.bin')}`);
  argv.push(`--cmdline=${file('uki', 'inputs', 'cmdline')}`, '--bank=sha256', '--phase=a:b', '--phase=c');
  const theirs: unknown = JSON.parse(execFileSync(TOOL, argv, { encoding: 'utf8' }));
  const uki = openVector('uki', 'out', 'basic-stub252.ukify257.efi');
  assert.deepEqual(asJson(predictPcr11(uki, { banks: ['sha256'], phases: ['a:b', 'c'] })), theirs);
});
