// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bootCounter,
  checkEsp,
  countedAfterTry,
  type EntryFileName,
  enrolmentFiles,
  enrolmentPath,
  entryState,
  extraFolderOf,
  fallbackLoaderPath,
  formatBootEntry,
  formatEntryFileName,
  formatLoaderConf,
  parseBootEntry,
  parseEntryFileName,
  parseLoaderConf,
  systemdBootPath,
} from '@vouchsafe/pe';
import fc from 'fast-check';

test('the series of names that systemd-boot documents', () => {
  for (const series of [
    ['foobar+3.efi', 'foobar+2-1.efi', 'foobar+1-2.efi', 'foobar+0-3.efi'],
    ['foobar+4-0.efi', 'foobar+3-1.efi', 'foobar+2-2.efi', 'foobar+1-3.efi', 'foobar+0-4.efi'],
    ['testos_7.1+3-0.efi', 'testos_7.1+2-1.efi'],
    ['a+010-009.conf', 'a+009-010.conf'],
  ]) {
    for (const [i, name] of series.entries()) {
      const after = countedAfterTry(parseEntryFileName(name));
      const next = series[i + 1];
      if (next !== undefined) assert.equal(after && formatEntryFileName(after), next);
    }
  }
  assert.equal(countedAfterTry(parseEntryFileName('foobar+0-3.efi')), undefined);
  assert.equal(countedAfterTry(parseEntryFileName('foobar.efi')), undefined);
});

test('states of entries', () => {
  const state = (name: string) => entryState(parseEntryFileName(name));
  assert.deepEqual(['a.efi', 'a+1.efi', 'a+0.efi', 'a+0-2.conf'].map(state), ['good', 'indeterminate', 'bad', 'bad']);
});

test('what is no counter belongs to the name', () => {
  for (const [file, name] of [
    ['a+b.efi', 'a+b'],
    ['a+1-.efi', 'a+1-'],
    ['a+-1.efi', 'a+-1'],
    ['a+1+2.EFI', 'a+1'],
    ['a+1234567890.efi', 'a+1234567890'],
    ['fedora+1.2.conf', 'fedora+1.2'],
  ] as const) {
    assert.equal(parseEntryFileName(file).name, name, file);
  }
});

test('the folder beside an image has the name without the counter', () => {
  for (const file of ['testos_7.1.efi', 'testos_7.1+3.efi', 'testos_7.1+0-3.efi']) {
    assert.equal(extraFolderOf(file), 'testos_7.1.efi.extra.d');
  }
  assert.throws(() => extraFolderOf('a.conf'), { code: 'bls_malformed' });
});

test('names that are refused', () => {
  const names = [
    '',
    'a',
    'a.txt',
    '.efi',
    '+3.efi',
    'a/b.efi',
    '../a.efi',
    'a\\b.efi',
    'a:b.efi',
    'a\nb.efi',
    'a\0.efi',
  ];
  for (const name of names) {
    if (name === '+3.efi') assert.equal(parseEntryFileName(name).counter, undefined);
    else assert.throws(() => parseEntryFileName(name), { code: 'bls_malformed' }, JSON.stringify(name));
  }
  assert.equal(parseEntryFileName(`${'a'.repeat(251)}.efi`).name.length, 251);
  assert.throws(() => parseEntryFileName(`${'a'.repeat(252)}.efi`), { code: 'bls_malformed' });
  const counted: EntryFileName = { name: 'a+1', counter: undefined, suffix: '.efi' };
  assert.throws(() => formatEntryFileName(counted), { code: 'bls_malformed' });
  const counter = { ...bootCounter(3), left: -1 };
  assert.throws(() => formatEntryFileName({ ...counted, name: 'a', counter }), { code: 'bls_malformed' });
  assert.throws(() => formatEntryFileName({ ...counted, name: 'a', counter: bootCounter(1e9) }), {
    code: 'bls_malformed',
  });
});

const anyName = fc.string({
  unit: fc.constantFrom('a', 'B', '0', '+', '-', '.', '_', ' '),
  minLength: 1,
  maxLength: 12,
});

test('names: what is read is written as it was; a made name comes back', () => {
  fc.assert(
    fc.property(anyName, fc.constantFrom('.efi', '.conf'), (stem, suffix) => {
      const file = `x${stem}${suffix}`;
      assert.equal(formatEntryFileName(parseEntryFileName(file)), file);
    }),
  );
  fc.assert(
    fc.property(fc.nat(99_999), (left) => {
      const entry: EntryFileName = { name: 'os', counter: bootCounter(left), suffix: '.efi' };
      assert.deepEqual(parseEntryFileName(formatEntryFileName(entry)).counter?.left, left);
    }),
  );
});

const ENTRY = `# made by kernel-install
title      "Test OS 7"
version    7.1
machine-id 6a9857a393724b7a981ebb5b8495b9ea
sort-key   testos
linux\t/6a9857/7.1/linux
initrd     /6a9857/7.1/initrd-1
initrd     /6a9857/7.1/initrd-2
options    root=/dev/vda2
options    quiet  rw
architecture x64
grub_users root
`;

test('a boot entry', () => {
  const entry = parseBootEntry(ENTRY);
  assert.deepEqual(entry, {
    title: 'Test OS 7',
    version: '7.1',
    machineId: '6a9857a393724b7a981ebb5b8495b9ea',
    sortKey: 'testos',
    linux: '/6a9857/7.1/linux',
    initrds: ['/6a9857/7.1/initrd-1', '/6a9857/7.1/initrd-2'],
    options: ['root=/dev/vda2', 'quiet  rw'],
    architecture: 'x64',
    further: [{ key: 'grub_users', value: 'root', line: 12, column: 12 }],
  });
  const { further: _, ...known } = entry;
  assert.deepEqual(parseBootEntry(formatBootEntry(known)), known);
  assert.deepEqual(parseBootEntry('uki /EFI/Linux/a.efi\r\nprofile 1\r\n'), { uki: '/EFI/Linux/a.efi', profile: '1' });
});

const BAD_ENTRIES: readonly [text: string, line: number, column: number][] = [
  ['', 1, 1],
  ['title x\n', 1, 1],
  ['linux /a\ntitle\n', 2, 6],
  ['linux /a\nefi /b\n', 2, 1],
  ['linux /a\nlinux /b\n', 2, 1],
  ['linux a\n', 1, 7],
  ['linux /../a\n', 1, 7],
  ['linux /a\ninitrd  b\n', 2, 9],
  ['linux /a\nmachine-id 6A9857a393724b7a981ebb5b8495b9ea\n', 2, 12],
  ['uki /a\nprofile x', 2, 9],
  ['linux /a\noptions a\x01b\n', 2, 10],
];

for (const [text, line, column] of BAD_ENTRIES) {
  test(`an entry that is refused: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseBootEntry(text), { name: 'PeError', code: 'bls_malformed', line, column });
  });
}

test('values that an entry cannot hold', () => {
  for (const title of ['', ' a', 'a ', '"a"', 'a\nlinux /b', 'a\tb\x7f']) {
    assert.throws(() => formatBootEntry({ linux: '/a', title }), { code: 'options_invalid' }, JSON.stringify(title));
  }
  assert.throws(() => formatBootEntry({ title: 'a' }), { code: 'options_invalid' });
  assert.throws(() => formatBootEntry({ linux: '/a', efi: '/b' }), { code: 'options_invalid' });
});

test('bounds of a text', () => {
  assert.equal(parseBootEntry(`linux /a\n${'#\n'.repeat(4094)}`).linux, '/a');
  assert.throws(() => parseBootEntry(`linux /a\n${'#\n'.repeat(4096)}`), { code: 'limit' });
  assert.throws(() => parseBootEntry('#'.repeat(256 * 1024 + 1)), { code: 'limit' });
});

test('any text gives an entry and a loader.conf, or a coded error', () => {
  const unit = fc.constantFrom('linux', 'timeout', 'editor', ' ', '\n', '/', '"', '#', '1', 'yes', '\0', '\t');
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      for (const parse of [parseBootEntry, parseLoaderConf]) {
        try {
          parse(text);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'bls_malformed');
        }
      }
    }),
  );
});

test('loader.conf', () => {
  const text =
    'timeout 3\n#\ndefault  testos*\neditor no\nconsole-mode max\nsecure-boot-enroll if-safe\ntimeout menu-force\n';
  const conf = parseLoaderConf(text);
  assert.deepEqual(conf, {
    timeout: 'menu-force',
    default: 'testos*',
    editor: false,
    consoleMode: 'max',
    secureBootEnroll: 'if-safe',
  });
  assert.deepEqual(parseLoaderConf(formatLoaderConf(conf)), conf);
  assert.deepEqual(parseLoaderConf('random-seed-mode off').further?.[0]?.key, 'random-seed-mode');
  for (const [line, column] of [
    ['timeout x', 9],
    ['timeout 31536001', 9],
    ['timeout -1', 9],
    ['editor  maybe', 9],
    ['console-mode 1000', 14],
    ['secure-boot-enroll yes', 20],
    ['secure-boot-enroll-action halt', 27],
    ['timeout', 8],
  ] as const) {
    assert.throws(() => parseLoaderConf(`beep 1\n${line}`), { code: 'bls_malformed', line: 2, column }, line);
  }
  assert.throws(() => formatLoaderConf({ timeout: -1 }), { code: 'options_invalid' });
  assert.throws(() => formatLoaderConf({ default: 'a\nb c' }), { code: 'options_invalid' });
});

test('what an ESP must hold', () => {
  const good = ['/EFI/BOOT/BOOTX64.EFI', '/EFI/systemd/systemd-bootx64.efi', '/efi/linux/A+3.EFI'];
  const codes = (paths: readonly string[], machine: 'x64' | 'arm64' = 'x64') =>
    checkEsp(paths, machine).map(({ code, severity }) => `${severity} ${code}`);
  assert.deepEqual(codes(good), []);
  assert.deepEqual(codes(good, 'arm64'), ['error loader_missing']);
  assert.deepEqual(codes(good.slice(1)), ['warning loader_missing']);
  assert.deepEqual(codes(good.slice(0, 2)), ['error entries_missing']);
  assert.deepEqual(codes([...good, '/loader/entries/a.conf']), ['warning entries_type_missing']);
  assert.deepEqual(codes([...good, '/loader/keys/auto/PK.auth']), ['warning keys_incomplete']);
  const keys = [...enrolmentFiles({ pk: new Uint8Array(1), kek: new Uint8Array(1), db: new Uint8Array(1) }).keys()];
  assert.deepEqual(keys, ['/loader/keys/auto/db.auth', '/loader/keys/auto/KEK.auth', '/loader/keys/auto/PK.auth']);
  assert.deepEqual(codes([...good, ...keys]), []);
  assert.deepEqual(codes([...good, '/loader/keys/$(x)/PK.auth', '/loader/keys/readme']), ['warning keys_incomplete']);
});

test('names on an ESP', () => {
  assert.equal(fallbackLoaderPath('arm64'), '/EFI/BOOT/BOOTAA64.EFI');
  assert.equal(systemdBootPath('ia32'), '/EFI/systemd/systemd-bootia32.efi');
  assert.throws(() => fallbackLoaderPath('ebc'), { code: 'options_invalid' });
  assert.equal(enrolmentPath('mine', 'dbx'), '/loader/keys/mine/dbx.auth');
  for (const name of ['', '..', '.a', 'a/b', 'a b', 'a'.repeat(65)]) {
    assert.throws(() => enrolmentPath(name, 'PK'), { code: 'options_invalid' }, name);
  }
});
