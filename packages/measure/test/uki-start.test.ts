// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, isVouchsafeError, toHex, utf8 } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { encodeStubArchive, type StubArchiveKind, type StubFile } from '@vouchsafe/disk';
import { predictUki, type UkiStart } from '@vouchsafe/measure';
import { digestMeasuredByFirmware, type PeFile } from '@vouchsafe/pe';
import { needsVectors } from '@vouchsafe/testing';
import fc from 'fast-check';
import { type MadeSection, madeLoader, madePe, madeUki } from './made-uki.ts';
import { openVector, readVector } from './support.ts';

const hashed = (octets: Uint8Array): string => toHex(digest('sha256', octets));
const text16 = (text: string): string => hashed(Uint8Array.from(Buffer.from(`${text}\0`, 'utf16le')));
const loaded = (pe: PeFile): string => toHex(digestMeasuredByFirmware(pe, 'sha256'));
const inner = madePe([['.text', 'kernel']], 'vmlinuz');
const KERNEL = readBytes(inner.source, 0, inner.source.size);
const BASE: readonly MadeSection[] = [
  ['.linux', KERNEL],
  ['.cmdline', 'quiet'],
  ['.initrd', 'init!'],
];

/** 'pcr digest' of each event of these PCRs. */
function eventsOf(uki: PeFile, pcrs: readonly number[], start: Partial<UkiStart> = {}): string[] {
  return predictUki(['sha256'], uki, { isSecureBootOn: true, pcrs, ...start }).map(
    ({ pcr, digests }) => `${pcr} ${toHex(digests.get('sha256') ?? new Uint8Array(0))}`,
  );
}
const uki = (stub: number | string, more: readonly MadeSection[] = []): PeFile => madeUki(stub, [...BASE, ...more]);
const file = (name: string, content: string | Uint8Array): StubFile => ({
  name,
  content: memorySource(typeof content === 'string' ? utf8(content) : content, name),
});
const addon = (name: string, sections: readonly MadeSection[]): { file: StubFile; pe: PeFile } => {
  const pe = madePe(sections, name);
  return { file: { name, content: pe.source }, pe };
};
const refuses = (code: string, ...call: Parameters<typeof eventsOf>): void =>
  assert.throws(() => eventsOf(...call), { code });

test('firmware measures the inner kernel with Secure Boot off, up to stub 257', () => {
  const four = (stub: number, isSecureBootOn: boolean): string[] => eventsOf(uki(stub), [4], { isSecureBootOn });
  for (const stub of [252, 255, 257]) {
    assert.deepEqual(four(stub, false), [`4 ${loaded(uki(stub))}`, `4 ${loaded(inner)}`]);
    assert.deepEqual(four(stub, true), [`4 ${loaded(uki(stub))}`]);
  }
  for (const isOn of [true, false]) assert.deepEqual(four(262, isOn), [`4 ${loaded(uki(262))}`]);
  for (const stub of [258, 261]) refuses('stub_unknown', uki(stub), [4], { isSecureBootOn: false });
  const old = madePe([['.text', 'x']], 'old', 0);
  const withOld = madeUki(252, [['.linux', readBytes(old.source, 0, old.source.size)]]);
  refuses('kernel_unsuitable', withOld, [4], { isSecureBootOn: false });
  refuses('kernel_unsuitable', withOld, [9]);
});

test('options of the boot entry: PCR 12 and 9, unless Secure Boot is on and the UKI has its own', () => {
  const commandLine = 'debug a=1';
  for (const stub of [252, 254, 257]) {
    const off = { isSecureBootOn: false, commandLine };
    assert.deepEqual(eventsOf(uki(stub), [12], off), [`12 ${text16(commandLine)}`]);
    assert.equal(eventsOf(uki(stub), [9], off)[0], `9 ${text16(commandLine)}`);
    assert.deepEqual(eventsOf(uki(stub), [12], { commandLine }), []);
    assert.equal(eventsOf(uki(stub), [9], { commandLine })[0], `9 ${text16('quiet')}`);
    const bare = madeUki(stub, [['.linux', KERNEL]]);
    assert.deepEqual(eventsOf(bare, [9, 12], { commandLine }), [
      `12 ${text16(commandLine)}`,
      `9 ${text16(commandLine)}`,
    ]);
    assert.deepEqual(eventsOf(bare, [9, 12]), []);
  }
});

test('how each stub cleans a text, and where that is not known', () => {
  const off = (stub: number, commandLine: string): string[] =>
    eventsOf(uki(stub), [12], { isSecureBootOn: false, commandLine });
  for (const stub of [252, 253, 254]) {
    assert.deepEqual(off(stub, ' a\tb\u007f \n'), [`12 ${text16(' a b\u007f')}`]);
    assert.deepEqual(off(stub, '  '), [`12 ${text16('')}`]);
  }
  assert.deepEqual(off(257, ' a\tb\u007f \n'), [`12 ${text16('a b')}`]);
  assert.deepEqual(off(257, '  '), []);
  for (const stub of [255, 256]) {
    assert.deepEqual(off(stub, 'a\tb \n'), [`12 ${text16('a b')}`]);
    for (const text of [' a', 'a\u007f', '  ']) {
      refuses('stub_unknown', uki(stub), [12], { isSecureBootOn: false, commandLine: text });
    }
  }
  // What does not begin as text is taken for binary data of the firmware.
  for (const stub of [252, 257]) assert.deepEqual(off(stub, '\u0001abc'), []);
  refuses('stub_unknown', uki(262), [12], { isSecureBootOn: false, commandLine: 'a\tb' });
  refuses('options_invalid', uki(257), [12], { isSecureBootOn: false, commandLine: '@1 a' });
  for (const text of ['a\0b', 'a\u{1f600}', '\ud800', 'a'.repeat(65537)]) {
    refuses('command_line_invalid', uki(257), [12], { isSecureBootOn: false, commandLine: text });
  }
  refuses('command_line_invalid', madeUki(257, [['.cmdline', 'a\u{1f600}']]), [9]);
  refuses('text_invalid', madeUki(257, [['.cmdline', Uint8Array.of(0xff)]]), [9]);
  assert.deepEqual(eventsOf(madeUki(257, [['.cmdline', 'a\0b']]), [9]), [`9 ${text16('a')}`]);
});

test('cleaning a text is done once: a clean text stays', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: fc.constantFrom('a', 'b', ' ', '\t', '\u007f') }), (text) => {
      const cleaned = (commandLine: string): string[] =>
        eventsOf(uki(257), [12], { isSecureBootOn: false, commandLine: `x${commandLine}` });
      const expected = `x${text}`.replaceAll(/[\t\u007f]/g, ' ').trim();
      assert.deepEqual(cleaned(text), [`12 ${text16(expected)}`]);
    }),
  );
});

test('systemd-boot in front: PCR 4, and PCR 12 for what it passes on', () => {
  const twelve = (loader: PeFile, start: Partial<UkiStart>, stub = 252): string[] =>
    eventsOf(uki(stub), [12], { loader, ...start });
  const [old, renewed] = [madeLoader('252.39-1'), madeLoader(257)];
  assert.deepEqual(eventsOf(uki(252), [4], { loader: old }), [`4 ${loaded(old)}`, `4 ${loaded(uki(252))}`]);
  const quiet = `12 ${text16('quiet')}`;
  assert.deepEqual(twelve(old, { isSecureBootOn: false }), [quiet, quiet]);
  assert.deepEqual(twelve(old, { isSecureBootOn: true }), [quiet]);
  assert.deepEqual(twelve(madeLoader(254), { isSecureBootOn: false }), [quiet, quiet]);
  assert.deepEqual(twelve(renewed, { isSecureBootOn: false }), []);
  assert.deepEqual(twelve(madeLoader(256), { isSecureBootOn: false }), []);
  const custom = { isSecureBootOn: false, commandLine: 'a ' };
  assert.deepEqual(twelve(renewed, custom), [`12 ${text16('a ')}`, `12 ${text16('a')}`]);
  assert.throws(() => twelve(madeLoader(255), {}), { code: 'loader_unknown' });
  assert.deepEqual(twelve(madeLoader(255), custom), [`12 ${text16('a ')}`, `12 ${text16('a')}`]);
  for (const loader of [madeLoader(251), madeLoader(263), uki(252), inner]) {
    assert.throws(() => twelve(loader, {}), { code: 'loader_unknown' });
  }
  assert.throws(
    () =>
      eventsOf(
        uki(257, [
          ['.profile', 'a'],
          ['.profile', 'b'],
        ]),
        [12],
        { loader: old, profile: 1 },
      ),
    {
      code: 'options_invalid',
    },
  );
});

test('another profile than the first is measured by its number, and by the loader that passes it on', () => {
  const several = uki(257, [
    ['.profile', 'a'],
    ['.profile', 'b'],
    ['.cmdline', 'two'],
  ]);
  assert.deepEqual(eventsOf(several, [12], { profile: 0 }), []);
  assert.deepEqual(eventsOf(several, [12], { profile: 1 }), [`12 ${text16('1')}`]);
  assert.equal(eventsOf(several, [9], { profile: 1 })[0], `9 ${text16('two')}`);
  const loader = madeLoader(257);
  assert.deepEqual(eventsOf(several, [12], { profile: 1, loader }), [`12 ${text16('@1')}`, `12 ${text16('1')}`]);
  const custom = { profile: 1, loader, isSecureBootOn: false, commandLine: 'c' };
  assert.deepEqual(
    eventsOf(several, [12], custom),
    ['@1 c', '1', 'c'].map((text) => `12 ${text16(text)}`),
  );
});

test('addons: PCR 4 for each, PCR 12 as their stub does', () => {
  const one = addon('1.addon.efi', [['.cmdline', 'one']]);
  const two = addon('2.addon.efi', [['.cmdline', 'two']]);
  const wide = addon('g.addon.EFI', [['.cmdline', 'wide']]);
  const folders = { companions: [two.file, one.file, file('x.addon.efi.bak', 'no')], loaderAddons: [wide.file] };
  const four = [wide, one, two].map(({ pe }) => `4 ${loaded(pe)}`);
  const texts = (stub: number): string[] => eventsOf(uki(stub), [12], folders);
  for (const stub of [252, 253]) {
    assert.deepEqual(eventsOf(uki(stub), [4, 12], folders), [`4 ${loaded(uki(stub))}`]);
  }
  assert.deepEqual(texts(254), [`12 ${text16('wide')}`, `12 ${text16('one two')}`]);
  for (const stub of [255, 256, 257, 262]) {
    assert.deepEqual(texts(stub), [`12 ${text16('wide one two')}`]);
    assert.deepEqual(eventsOf(uki(stub), [4], folders).slice(1), four);
  }
  for (const stub of [254, 255, 256, 257]) {
    assert.equal(eventsOf(uki(stub), [9], folders)[0], `9 ${text16('quiet wide one two')}`);
  }
  refuses('stub_unknown', uki('252-46.el9'), [12], folders);
  const padded = { companions: [addon('0.addon.efi', [['.cmdline', ' p \n']]).file, two.file] };
  assert.deepEqual(eventsOf(uki(254), [12], padded), [`12 ${text16(' p   two')}`]);
  assert.deepEqual(eventsOf(uki(257), [12], padded), [`12 ${text16('p two')}`]);
  for (const stub of [255, 256]) refuses('stub_unknown', uki(stub), [12], padded);
});

test('addons that are left alone are measured in PCR 4 all the same', () => {
  const named = uki(257, [['.uname', '6.1.0']]);
  const fitting = addon('b.addon.efi', [
    ['.cmdline', 'fits'],
    ['.uname', '6.1'],
  ]);
  const others = [
    addon('a.addon.efi', [
      ['.cmdline', 'x'],
      ['.uname', '6.2.0'],
    ]),
    addon('c.addon.efi', [
      ['.cmdline', 'x'],
      ['.linux', 'y'],
    ]),
    addon('d.addon.efi', [['.sbat', 'x']]),
  ];
  const companions = [...others, fitting].map((one) => one.file);
  assert.equal(eventsOf(named, [4], { companions }).length, 5);
  assert.deepEqual(eventsOf(named, [12], { companions }), [`12 ${text16('fits')}`]);
  const other = others.slice(0, 1).map((one) => one.file);
  refuses('stub_unknown', uki(255, [['.uname', '6.1.0']]), [12], { companions: other });
  const automatic = addon('e.addon.efi', [['.dtbauto', 'x']]);
  refuses('machine_dependent', named, [12], { companions: [automatic.file] });
  assert.throws(() => eventsOf(named, [4], { companions: [file('x.addon.efi', 'not PE')] }), isVouchsafeError);
});

test('the archives and parts of the initrd, per stub', () => {
  const content = (name: string): Uint8Array => utf8(`content of ${name}`);
  const files = (names: readonly string[]): StubFile[] => names.map((name) => file(name, content(name)));
  const archive = (kind: StubArchiveKind, ...names: string[]): Uint8Array =>
    encodeStubArchive(
      kind,
      names.map((name) => ({ name, content: content(name) })),
    );
  const boot = (name: string, text: string): Uint8Array => encodeStubArchive('boot', [{ name, content: utf8(text) }]);
  const patch = addon('p.addon.efi', [
    ['.initrd', 'more!'],
    ['.ucode', 'mu'],
    ['.dtb', 'tree'],
  ]);
  const later = addon('q.addon.efi', [['.ucode', 'nu']]);
  const start = {
    companions: [
      ...files(['b.raw', 'a.CRED', 'c.confext.raw', '.hidden.cred', 'é.cred', 'readme']),
      patch.file,
      later.file,
    ],
    loaderCredentials: files(['g.cred', 'no.raw']),
  };
  const more: readonly MadeSection[] = [
    ['.ucode', 'u'],
    ['.osrel', 'ID=x'],
    ['.pcrpkey', 'key'],
    ['.pcrsig', '{}'],
    ['.profile', 'ID=p'],
  ];
  const cred = archive('credentials', 'a.CRED');
  const global = archive('global-credentials', 'g.cred');
  const both = archive('sysext', 'b.raw', 'c.confext.raw');
  const [sysext, confext] = [archive('sysext', 'b.raw'), archive('confext', 'c.confext.raw')];
  const own = [boot('tpm2-pcr-signature.json', '{}'), boot('tpm2-pcr-public-key.pem', 'key')];
  const padded = (text: string): Uint8Array => concatBytes(utf8(text), new Uint8Array(-text.length & 3));
  const initrd = (stub: number): string | undefined => eventsOf(uki(stub, more), [9], start)[1];
  const measured = (stub: number): string[] => eventsOf(uki(stub, more), [12, 13], start);
  const twelve = (...all: Uint8Array[]): string[] => all.map((octets) => `12 ${hashed(octets)}`);
  for (const stub of [252, 253, 254, 255]) {
    const tree = stub === 255 ? twelve(utf8('tree')) : [];
    assert.deepEqual(measured(stub), [...tree, ...twelve(cred, global), `13 ${hashed(both)}`]);
    assert.equal(initrd(stub), `9 ${hashed(concatBytes(padded('init!'), cred, global, both, ...own))}`);
  }
  const before = [...twelve(utf8('tree'), cred, global), `13 ${hashed(sysext)}`, ...twelve(confext)];
  assert.deepEqual(measured(256), [...before, ...twelve(utf8('nu'), utf8('mu'))]);
  const middle = [padded('nu'), padded('mu'), padded('u'), padded('init!'), cred, global, sysext, confext, ...own];
  assert.equal(initrd(256), `9 ${hashed(concatBytes(...middle))}`);
  for (const stub of [257, 262]) {
    assert.deepEqual(measured(stub), [...before, ...twelve(utf8('nu'), utf8('mu'), utf8('more!'))]);
  }
  const behind = [boot('os-release', 'ID=x'), boot('profile', 'ID=p'), padded('more!')];
  assert.equal(initrd(257), `9 ${hashed(concatBytes(...middle, ...behind))}`);
  // One part alone goes as it is.
  for (const stub of [252, 257]) assert.equal(eventsOf(uki(stub), [9])[1], `9 ${hashed(utf8('init!'))}`);
});

test('PCR 9 of later stubs is not known, the others are', () => {
  for (const stub of [258, 262]) {
    refuses('stub_unknown', uki(stub), [4, 9, 11]);
    assert.ok(eventsOf(uki(stub), [4, 11, 12, 13]).length > 0);
  }
});

test('the addon of the recorded boots is what ukify made', needsVectors('image', 'boot'), () => {
  const companions = [file('one.addon.efi', readVector('boot', 'in', 'one.addon.efi'))];
  const started = openVector('boot', 'uki-257.13.efi');
  const [fourth] = eventsOf(started, [12], { companions });
  assert.equal(
    fourth,
    `12 ${text16(Buffer.from(readVector('boot', 'in', 'one.addon.efi').subarray(0x800, 0x80b)).toString())}`,
  );
  assert.equal(eventsOf(openVector('boot', 'uki-252.39.efi'), [4, 12], { companions }).length, 1);
});
