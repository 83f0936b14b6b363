// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { concatBytes, isVouchsafeError, parseUtf8, toHex } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import {
  type CpioEntry,
  type CpioMember,
  cpioMembers,
  encodeStubArchive,
  FILE_TYPES,
  readCpio,
  readCpioLink,
  writeCpio,
  writeStubArchive,
} from '@vouchsafe/disk';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import fc from 'fast-check';
import { bytesOf, patternSource, readTestdata, textSource, withCode, written } from './support.ts';

const archive = (members: readonly CpioMember[]): Uint8Array => written((sink) => writeCpio(sink, members));
const list = (bytes: Uint8Array, maxEntries?: number): CpioEntry[] => [...readCpio(memorySource(bytes), maxEntries)];
const contentOf = ({ content }: CpioEntry): Uint8Array => readBytes(content, 0, content.size);

const MEMBERS: readonly CpioMember[] = [
  { path: 'etc', mode: FILE_TYPES.directory | 0o755 },
  { path: 'etc/a', mode: FILE_TYPES.file | 0o4755, content: textSource('abc'), uid: 1, gid: 2, mtime: 3 },
  { path: 'etc/link', mode: FILE_TYPES.symlink | 0o777, content: textSource('a') },
  { path: 'null', mode: FILE_TYPES.character | 0o666, rdev: { major: 1, minor: 3 } },
  { path: 'empty', mode: FILE_TYPES.file | 0o600, content: textSource('') },
  { path: 'pipe', mode: FILE_TYPES.fifo | 0o600 },
];

test('what a credential is packed into has the digest of a real boot', () => {
  for (const vector of JSON.parse(parseUtf8(readTestdata('cpio/stub-archives.json')))) {
    const bytes = encodeStubArchive(vector.kind, [{ name: vector.name, content: bytesOf(vector.text) }]);
    assert.equal(toHex(digest('sha256', bytes)), vector.sha256);
    assert.equal(toHex(digest('sha1', bytes)), vector.sha1);
  }
});

test('so has what a system extension is packed into', needsVectors('image/boot', 'EXPECTED.json'), () => {
  const expected = JSON.parse(readFileSync(vectorPath('image/boot', 'EXPECTED.json'), 'utf8'));
  const events: [number, string, string][] = expected['sdboot252-stub252'].pcr12_13_events;
  const found = events.find(([, , description]) => description === 'System extension initrd');
  const content = new Uint8Array(readFileSync(vectorPath('image/ddi', 'foo.sysext.trixie.raw')));
  const bytes = encodeStubArchive('sysext', [{ name: 'foo.raw', content }]);
  assert.equal(toHex(digest('sha256', bytes)), found?.[1]);
});

/** The content of a PE section by its name, as it is in memory. PE format, "Section Table". */
function sectionOf(pe: Uint8Array, name: string): Uint8Array | undefined {
  const view = new DataView(pe.buffer, pe.byteOffset, pe.byteLength);
  const coff = view.getUint32(60, true) + 4;
  const table = coff + 20 + view.getUint16(coff + 16, true);
  for (let i = 0; i < view.getUint16(coff + 2, true); i++) {
    const at = table + 40 * i;
    if (parseUtf8(pe.subarray(at, at + 8)).replace(/\0+$/, '') !== name) continue;
    return pe.slice(view.getUint32(at + 20, true), view.getUint32(at + 20, true) + view.getUint32(at + 8, true));
  }
  return undefined;
}

/** Sections of a UKI that become files in .extra, in the order of their archives; systemd 252 knows the first two. */
const BOOT_FILES = [
  ['.pcrsig', 'tpm2-pcr-signature.json'],
  ['.pcrpkey', 'tpm2-pcr-public-key.pem'],
  ['.osrel', 'os-release'],
] as const;

for (const [boot, uki, count] of [
  ['direct-stub252', 'uki-252.39.efi', 2],
  ['sdboot252-stub252', 'uki-252.39.efi', 2],
  ['secureboot-257', 'uki-257.13-signed.efi', 3],
] as const) {
  test(`the initrd that ${boot} measured, all of its archives among it`, needsVectors('image/boot', uki), () => {
    const pe = new Uint8Array(readFileSync(vectorPath('image/boot', uki)));
    const padded = (bytes: Uint8Array): Uint8Array => concatBytes(bytes, new Uint8Array(-bytes.length & 3));
    const extra =
      boot === 'sdboot252-stub252'
        ? [
            encodeStubArchive('credentials', [{ name: 'loc.cred', content: bytesOf('local-secret') }]),
            encodeStubArchive('sysext', [
              {
                name: 'foo.raw',
                content: new Uint8Array(readFileSync(vectorPath('image/ddi', 'foo.sysext.trixie.raw'))),
              },
            ]),
          ]
        : [];
    const own = BOOT_FILES.slice(0, count).flatMap(([section, name]) => {
      const content = sectionOf(pe, section);
      return content === undefined ? [] : [encodeStubArchive('boot', [{ name, content }])];
    });
    const initrd = concatBytes(padded(sectionOf(pe, '.initrd') ?? new Uint8Array(0)), ...extra, ...own);
    const expected = JSON.parse(readFileSync(vectorPath('image/boot', 'EXPECTED.json'), 'utf8'));
    assert.equal(toHex(digest('sha256', initrd)), expected[boot].pcr9_events[1][1]);
    assert.ok(own.length > 0);
  });
}

test('an archive of the stub: parents, folder, files in the order of their UTF-16 units, trailer with 0000000B', () => {
  const content = new Uint8Array(1);
  const names = ['b', 'a', '\u{1f600}', '\uffee'];
  const bytes = encodeStubArchive(
    'confext',
    names.map((name) => ({ name, content })),
  );
  const entries = list(bytes);
  assert.deepEqual(
    entries.map(({ path, permissions, header }) => [path, permissions, header.ino]),
    [
      ['.extra', 0o555, 1],
      ['.extra/confext', 0o555, 2],
      ['.extra/confext/a', 0o444, 3],
      ['.extra/confext/b', 0o444, 4],
      ['.extra/confext/\u{1f600}', 0o444, 5],
      ['.extra/confext/\uffee', 0o444, 6],
    ],
  );
  assert.match(parseUtf8(bytes.slice(-124)), /^070701.{88}0000000B00000000TRAILER!!!\0{4}$/s);
  assert.equal(encodeStubArchive('boot', []).length, 0);
  assert.equal(bytes.length % 4, 0);
});

test('an archive of the stub refuses names that are none', () => {
  for (const name of ['', '.', '..', 'a/b']) {
    assert.throws(() => encodeStubArchive('sysext', [{ name, content: new Uint8Array(1) }]), withCode('name_invalid'));
  }
  assert.equal(written((sink) => assert.equal(writeStubArchive(sink, 'boot', []), 0)).length, 0);
});

test('what is written is read the same', () => {
  const entries = list(archive(MEMBERS));
  assert.deepEqual(
    entries.map(({ path, kind }) => [path, kind]),
    [
      ['etc', 'directory'],
      ['etc/a', 'file'],
      ['etc/link', 'symlink'],
      ['null', 'character'],
      ['empty', 'file'],
      ['pipe', 'fifo'],
    ],
  );
  const [, file, link, device] = entries;
  assert.ok(file && link && device);
  assert.deepEqual(contentOf(file), bytesOf('abc'));
  assert.deepEqual([file.permissions, file.header.uid, file.header.gid, file.header.mtime], [0o4755, 1, 2, 3]);
  assert.equal(readCpioLink(link), 'a');
  assert.throws(() => readCpioLink(file), withCode('not_a_file'));
  assert.deepEqual([device.header.rdevMajor, device.header.rdevMinor], [1, 3]);
});

const path = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\0'));

test('any paths and contents come back, from archives end to end with zeros between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(path, fc.uint8Array({ maxLength: 50 })), { minLength: 1 }),
      fc.nat(20),
      (files, gap) => {
        const one = archive(
          files.map(([name, bytes]) => ({ path: name, mode: FILE_TYPES.file, content: memorySource(bytes) })),
        );
        const entries = list(concatBytes(one, new Uint8Array(gap), one, new Uint8Array(gap)));
        const found = entries.map((entry) => [entry.path, contentOf(entry)] as const);
        assert.deepEqual(found, [...files, ...files]);
      },
    ),
  );
});

test('an initrd that GNU cpio made', needsVectors('image/boot', 'in/initrd.cpio.gz'), () => {
  const entries = list(new Uint8Array(gunzipSync(readFileSync(vectorPath('image/boot', 'in/initrd.cpio.gz')))));
  assert.equal(entries.length, 7);
  assert.equal(entries.find((entry) => entry.path === 'bin/busybox')?.content.size, 1982256);
});

test('GNU cpio lists and extracts ours', needsTool('cpio'), (t) => {
  const cwd = tempDir(t);
  const members = [
    ...MEMBERS.filter(({ path: name }) => name !== 'null'),
    { path: 'big', mode: FILE_TYPES.file | 0o644, content: patternSource(3_000_001) },
  ];
  const input = archive(members);
  execFileSync('cpio', ['-idm', '--quiet'], { cwd, input });
  const listed = execFileSync('cpio', ['-it', '--quiet'], { input, encoding: 'utf8' });
  assert.deepEqual(
    listed.trim().split('\n'),
    members.map(({ path: name }) => name),
  );
  assert.deepEqual(readFileSync(`${cwd}/etc/link`), Buffer.from('abc'));
  const big = patternSource(3_000_001);
  assert.ok(readFileSync(`${cwd}/big`).equals(readBytes(big, 0, big.size)));
});

test('ours reads what GNU cpio makes', needsTool('cpio'), (t) => {
  const cwd = tempDir(t);
  execFileSync('sh', ['-c', 'mkdir d && printf hello > d/f && ln -s f d/l && ln d/f d/h'], { cwd });
  const output = execFileSync('cpio', ['-o', '-H', 'newc', '--quiet'], { cwd, input: 'd\nd/f\nd/l\nd/h\n' });
  const entries = list(new Uint8Array(output));
  assert.deepEqual(entries.map((entry) => entry.path).sort(), ['d', 'd/f', 'd/h', 'd/l']);
  assert.deepEqual(entries.filter((entry) => entry.content.size === 5).map(contentOf), [bytesOf('hello')]);
});

test('a tree becomes an archive that GNU cpio extracts, hard links too', needsTool('cpio'), (t) => {
  const cwd = tempDir(t);
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1 };
  const members = [
    ...cpioMembers([
      { kind: 'hardlink', path: 'z', target: 'd/f' },
      { kind: 'file', path: 'd/f', content: textSource('hello'), ...attributes },
      { kind: 'symlink', path: 'a', target: 'd/f', ...attributes },
      { kind: 'directory', path: 'd', ...attributes },
      { kind: 'directory', path: '', ...attributes },
    ]),
  ];
  assert.deepEqual(
    members.map((member) => [member.path, member.ino, member.nlink, member.content?.size]),
    [
      ['a', 1, 1, 3],
      ['d', 2, 1, undefined],
      ['d/f', 3, 2, undefined],
      ['z', 3, 2, 5],
    ],
  );
  execFileSync('cpio', ['-idm', '--quiet'], { cwd, input: archive(members) });
  assert.equal(statSync(`${cwd}/d/f`).ino, statSync(`${cwd}/z`).ino);
  for (const name of ['a', 'z']) assert.equal(readFileSync(`${cwd}/${name}`, 'utf8'), 'hello');
});

test('what cannot be written', () => {
  const file = (overrides: Partial<CpioMember>): CpioMember => ({ path: 'a', mode: FILE_TYPES.file, ...overrides });
  for (const bad of ['', 'a\0b', 'TRAILER!!!', '\ud800', 'x'.repeat(4096)]) {
    assert.throws(() => archive([file({ path: bad })]), withCode('name_invalid'));
  }
  assert.equal(list(archive([file({ path: 'x'.repeat(4095) })]))[0]?.path.length, 4095);
  for (const bad of [{ uid: -1 }, { gid: 2 ** 32 }, { mtime: 1.5 }, { ino: Number.NaN }]) {
    assert.throws(() => archive([file(bad)]), withCode('limit'));
  }
  const huge = { size: 2 ** 32, label: 'huge', read: () => {} };
  assert.throws(() => archive([file({ content: huge })]), withCode('limit'));
  assert.throws(() => archive([file({ mode: 0o644 })]), withCode('options_invalid'));
});

const SOUND = archive(MEMBERS);

function changed(edit: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = SOUND.slice();
  edit(bytes);
  return bytes;
}
const put = (at: number, text: string): Uint8Array => changed((bytes) => bytes.set(bytesOf(text), at));
/** Field i of the first header. */
const putField = (i: number, text: string): Uint8Array => put(6 + 8 * i, text);

test('malformed archives', () => {
  const cases = [
    new Uint8Array(0),
    new Uint8Array(100),
    put(0, '070707'),
    putField(0, '0000000g'),
    putField(0, '       1'),
    putField(0, '0x000001'),
    putField(1, '00000000'),
    putField(1, '0000f000'),
    putField(6, '00000001'), // a directory with content
    putField(6, 'ffffffff'),
    putField(11, '00000000'),
    putField(11, '00000001'),
    putField(11, '00000003'),
    putField(11, '00001001'),
    putField(11, 'ffffffff'),
    changed((bytes) => bytes.fill(0xff, 110, 113)),
    concatBytes(SOUND, bytesOf('x')),
    SOUND.slice(0, -124),
  ];
  for (const [i, bytes] of cases.entries()) assert.throws(() => list(bytes), withCode('cpio_malformed'), `case ${i}`);
  assert.throws(() => list(SOUND, 5), withCode('limit'));
  assert.equal(list(SOUND, 6).length, 6);
});

test('every truncation is an error', () => {
  for (let length = 0; length < SOUND.length; length++) {
    assert.throws(() => list(SOUND.slice(0, length)), withCode('cpio_malformed'), `${length} octets`);
  }
});

test('changed octets never raise anything but our errors', () => {
  for (let at = 0; at < SOUND.length; at++) {
    try {
      for (const entry of readCpio(memorySource(changed((bytes) => bytes.fill((bytes[at] ?? 0) ^ 1, at, at + 1))))) {
        contentOf(entry);
      }
    } catch (error) {
      assert.ok(isVouchsafeError(error), `${error}`);
    }
  }
});
