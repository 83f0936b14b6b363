// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import {
  type Fat32Request,
  type FatMember,
  type FatVolume,
  findFatEntry,
  listFat,
  minFat32Bytes,
  openFat,
  openFatFile,
  planFat32,
} from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';
import {
  bytesOf,
  patternSource,
  readTestdata,
  SparseBytes,
  TIMESTAMP,
  textSource,
  withCode,
  writeFile,
} from './support.ts';

const MIB = 1024 * 1024;

const MEMBERS: readonly FatMember[] = [
  { path: 'EFI/BOOT/BOOTX64.EFI', content: patternSource(3_000_001) },
  { path: 'EFI/Linux/testos_7.1+3-0.efi', content: patternSource(512) },
  { path: 'EFI/Linux/testos_7.2+3-0.efi', content: patternSource(513) },
  { path: 'loader/entries' },
  { path: 'loader/loader.conf', content: textSource('timeout 0\n') },
  { path: 'loader/an empty file', content: textSource('') },
  { path: 'Grüße €.txt', content: textSource('x') },
  { path: 'thirteen.char', content: textSource('13') },
];

function request(overrides: Partial<Fat32Request> = {}): Fat32Request {
  return {
    members: MEMBERS,
    sectorSize: 512,
    volumeId: 0x1234abcd,
    label: 'ESP',
    timestampSeconds: TIMESTAMP,
    ...overrides,
  };
}

function volume(overrides: Partial<Fat32Request> = {}): SparseBytes {
  const bytes = new SparseBytes();
  planFat32(request(overrides)).write(bytes);
  return bytes;
}

/** Every file with its content. */
function filesOf(fat: FatVolume): Map<string, Uint8Array> {
  const files = [...listFat(fat)].filter(({ kind }) => kind === 'file');
  return new Map(files.map((entry) => [entry.path, readBytes(openFatFile(fat, entry), 0, entry.sizeBytes)]));
}

const contentOf = ({ content }: FatMember): Uint8Array =>
  content ? readBytes(content, 0, content.size) : new Uint8Array(0);

for (const sectorSize of [512, 4096] as const) {
  test(`sectors of ${sectorSize}: what is written is read the same`, () => {
    const fat = openFat(volume({ sectorSize }));
    assert.deepEqual([fat.kind, fat.label, fat.volumeId, fat.sectorSize], ['fat32', 'ESP', 0x1234abcd, sectorSize]);
    const files = filesOf(fat);
    const expected = MEMBERS.filter(({ content }) => content !== undefined);
    assert.deepEqual([...files.keys()].sort(), expected.map(({ path }) => path).sort());
    for (const member of expected) assert.deepEqual(files.get(member.path), contentOf(member), member.path);
    const directories = [...listFat(fat)].filter(({ kind }) => kind === 'directory').map(({ path }) => path);
    assert.deepEqual(directories, ['EFI', 'EFI/BOOT', 'EFI/Linux', 'loader', 'loader/entries']);
  });

  test(
    `sectors of ${sectorSize}: fsck.vfat finds nothing, mtools give the files back`,
    needsTool('fsck.vfat', 'mcopy'),
    (t) => {
      const dir = tempDir(t);
      const path = writeFile(join(dir, 'esp.img'), (sink) => planFat32(request({ sectorSize })).write(sink));
      // fsck.vfat ends with 1 when there is anything to mend.
      execFileSync('fsck.vfat', ['-n', '-v', path]);
      execFileSync('mcopy', ['-s', '-i', path, '::/EFI', '::/loader', '::/Grüße €.txt', dir], {
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
      });
      for (const member of MEMBERS.filter(({ content }) => content !== undefined)) {
        if (member.path === 'thirteen.char') continue;
        assert.ok(readFileSync(join(dir, member.path)).equals(contentOf(member)), member.path);
      }
      const listed = execFileSync('mdir', ['-i', path, '::/EFI/Linux'], {
        encoding: 'utf8',
        env: { ...process.env, TZ: 'UTC' },
      });
      assert.match(listed, /TESTOS~1 EFI +512 2023-11-14 +22:13 +testos_7\.1\+3-0\.efi/);
      assert.match(listed, /Volume in drive : is ESP/);
      assert.match(listed, /Volume Serial Number is 1234-ABCD/);
    },
  );
}

test('the same members in another order give the same octets', () => {
  const [one, two] = [volume(), volume({ members: MEMBERS.toReversed() })];
  assert.equal(one.size, two.size);
  for (let at = 0; at < 8 * MIB; at += 65536) assert.deepEqual(readBytes(one, at, 65536), readBytes(two, at, 65536));
});

test('sizes: an ESP by default, what the content needs, and what is asked for', () => {
  assert.equal(planFat32(request()).sizeBytes, 100 * MIB);
  assert.equal(planFat32(request({ sectorSize: 4096 })).sizeBytes, 260 * MIB);
  const large = { size: 300 * MIB, label: 'large', read: () => {} };
  const plan = planFat32(request({ members: [{ path: 'large', content: large }] }));
  assert.ok(plan.sizeBytes > 300 * MIB && plan.sizeBytes < 303 * MIB, `${plan.sizeBytes}`);
  assert.equal(plan.geometry.clusterBytes, 4096);
  const least = minFat32Bytes(512, 512);
  assert.equal(planFat32(request({ sizeBytes: least })).geometry.clusterCount, 65541);
  assert.throws(() => planFat32(request({ sizeBytes: least - 512 })), withCode('options_invalid'));
  const full = { size: 65_540 * 512, label: 'full', read: () => {} };
  planFat32(request({ sizeBytes: least, members: [{ path: 'full', content: full }] }));
  const over = { ...full, size: full.size + 1 };
  assert.throws(
    () => planFat32(request({ sizeBytes: least, members: [{ path: 'x', content: over }] })),
    withCode('no_space'),
  );
});

test('a volume that is full to its last octet', () => {
  const content = { size: 65_540 * 512, label: 'full', read: (_: number, target: Uint8Array) => void target.fill(7) };
  const bytes = volume({ sizeBytes: minFat32Bytes(512, 512), members: [{ path: 'full', content }] });
  assert.equal(bytes.size, minFat32Bytes(512, 512));
  const fat = openFat(bytes);
  assert.deepEqual(readBytes(openFatFile(fat, findFatEntry(fat, 'full')), content.size - 1, 1), Uint8Array.of(7));
});

test('a volume is written at an offset, and ends where it should', () => {
  const bytes = new SparseBytes();
  planFat32(request()).write(bytes, MIB);
  assert.equal(bytes.size, 101 * MIB);
});

test('short names: upper case where that is enough, numbered tails, never one that another name has', () => {
  const names = [
    'Linux',
    'UPPER.TXT',
    'a.b.c',
    'longer name.text',
    'longer name2.text',
    'LONGER~1.TEX',
    'über',
    '.dots',
    'x'.repeat(255),
  ];
  const fat = openFat(volume({ members: names.map((path) => ({ path })) }));
  const found = new Map([...listFat(fat)].map(({ path, shortName }) => [path, shortName]));
  assert.equal(found.get('Linux'), 'LINUX');
  assert.equal(found.get('UPPER.TXT'), 'UPPER.TXT');
  assert.equal(found.get('a.b.c'), 'AB~1.C');
  assert.equal(found.get('longer name.text'), 'LONGER~2.TEX');
  assert.equal(found.get('longer name2.text'), 'LONGER~3.TEX');
  assert.equal(found.get('über'), '_BER~1');
  assert.equal(found.get('.dots'), 'DOTS~1');
  assert.equal(new Set(found.values()).size, names.length);
  assert.equal(findFatEntry(fat, '/LONGER~2.TEX').path, 'longer name.text');
  assert.equal(findFatEntry(fat, 'linux').path, 'Linux');
});

const name = fc
  .string({ minLength: 1, maxLength: 30, unit: fc.constantFrom(...'abAB01 .~+é漢😀_') })
  .filter((text) => !/[. ]$|^ /.test(text));

test('any names come back', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 30, selector: (text) => text.toUpperCase() }), (names) => {
      const members = names.map((path) => ({ path, content: textSource(path) }));
      const files = filesOf(openFat(volume({ members, sizeBytes: minFat32Bytes(512, 512) })));
      assert.deepEqual(new Map(files), new Map(members.map((member) => [member.path, contentOf(member)])));
    }),
    { numRuns: 25 },
  );
});

test('names and trees that FAT cannot hold', () => {
  const plan =
    (...paths: string[]) =>
    () =>
      planFat32(request({ members: paths.map((path) => ({ path, content: textSource('') })) }));
  for (const bad of [
    '',
    '.',
    '..',
    'a/../b',
    '/a',
    'a/',
    'a//b',
    'a:b',
    'a\\b',
    'a?',
    'a.',
    'a ',
    ' a',
    'a\nb',
    'x'.repeat(256),
    '\ud800',
  ]) {
    assert.throws(plan(bad), withCode('name_invalid'), JSON.stringify(bad));
  }
  assert.throws(plan('a', 'A'), withCode('name_collision'));
  assert.throws(plan('a', 'a'), withCode('name_collision'));
  assert.throws(plan('É', 'é'), withCode('name_collision'));
  assert.throws(plan('a', 'a/b'), withCode('name_collision'));
  assert.throws(plan('a/b', 'a'), withCode('name_collision'));
  assert.throws(plan('efi/a', 'EFI/b'), withCode('name_collision'));
  assert.throws(plan('a/'.repeat(64).concat('b')), withCode('limit'));
  plan('a/'.repeat(63).concat('b'))();
  // "." and ".." and one entry each.
  const many = Array.from({ length: 65535 }, (_, i) => `D/${i}`);
  assert.throws(plan(...many), withCode('limit'));
  plan(...many.slice(1))();
  const huge = { size: 2 ** 32, label: 'huge', read: () => {} };
  assert.throws(() => planFat32(request({ members: [{ path: 'a', content: huge }] })), withCode('limit'));
});

test('options that FAT does not have', () => {
  const cases: Partial<Fat32Request>[] = [
    { volumeId: -1 },
    { volumeId: 2 ** 32 },
    { timestampSeconds: Date.UTC(2108, 0, 1) / 1000 },
    { timestampSeconds: 0.5 },
    { sectorSize: 1024 as 512 },
    { sizeBytes: 100 * MIB + 1 },
    { clusterBytes: 256 },
    { clusterBytes: 65536 },
    { clusterBytes: 1536 },
  ];
  for (const bad of cases)
    assert.throws(() => planFat32(request(bad)), withCode('options_invalid'), JSON.stringify(bad));
  for (const label of ['', 'esp', 'TWELVE CHARS', ' A', 'É']) {
    assert.throws(() => planFat32(request({ label })), withCode('name_invalid'), label);
  }
});

test('times: even seconds, UTC, none before 1980', () => {
  const timeOf = (timestampSeconds: number) =>
    findFatEntry(openFat(volume({ timestampSeconds })), 'loader').mtimeSeconds;
  assert.equal(timeOf(TIMESTAMP + 1), TIMESTAMP);
  assert.equal(timeOf(0), Date.UTC(1980, 0, 1) / 1000);
  assert.equal(timeOf(Date.UTC(2107, 11, 31, 23, 59, 59) / 1000), Date.UTC(2107, 11, 31, 23, 59, 58) / 1000);
});

test('a FAT12 of mkfs.vfat and mtools', () => {
  const fat = openFat(memorySource(readTestdata('fat/fat12.img')));
  assert.deepEqual([fat.kind, fat.label, fat.clusterCount], ['fat12', 'TEST', 125]);
  const files = filesOf(fat);
  assert.deepEqual(files.get('EFI/Linux/testos_7.1+3-0.efi'), new Uint8Array(3000).fill(0x61));
  assert.deepEqual(files.get('loader/loader.conf'), bytesOf('timeout 0\n'));
  assert.equal(findFatEntry(fat, 'loader/LOADER.CONF').mtimeSeconds, TIMESTAMP);
});

for (const [bits, options, kib] of [
  [12, [], 1440],
  [16, ['-s', '1'], 8192],
  [32, [], 40960],
  [32, ['-S', '4096'], 280000],
] as const) {
  test(
    `ours reads what mkfs.vfat and mtools make: FAT${bits} ${options.join(' ')}`,
    needsTool('mkfs.vfat', 'mcopy'),
    (t) => {
      const dir = tempDir(t);
      const path = join(dir, 'v.img');
      execFileSync('mkfs.vfat', ['--invariant', '-F', String(bits), ...options, '-C', path, String(kib)]);
      const input = Buffer.from(contentOf({ path: '', content: patternSource(100_000) }));
      execFileSync('mmd', ['-i', path, '::/Some Folder', '::/lower']);
      // A hole of deleted entries and clusters, so that the next file is in pieces.
      execFileSync('mcopy', ['-i', path, '-', '::/Some Folder/first'], { input: input.subarray(0, 5000) });
      execFileSync('mcopy', ['-i', path, '-', '::/Some Folder/second'], { input });
      execFileSync('mdel', ['-i', path, '::/Some Folder/first']);
      execFileSync('mcopy', ['-i', path, '-', '::/Some Folder/a third, with a long name.bin'], { input });
      using source = FileSource.open(path);
      const files = filesOf(openFat(source));
      assert.deepEqual([...files.keys()].sort(), ['Some Folder/a third, with a long name.bin', 'Some Folder/second']);
      for (const bytes of files.values()) assert.ok(input.equals(bytes));
    },
  );
}
