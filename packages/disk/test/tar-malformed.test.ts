// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { concatBytes, isVouchsafeError } from '@vouchsafe/base';
import { memorySource, readBytes } from '@vouchsafe/bytes';
import { type DiskErrorCode, readTar, type TarLimits, type TarTreeOptions, tarTree } from '@vouchsafe/disk';
import { type MadeMember, makeTar, paxMember, paxRecord } from './made-tar.ts';
import { bytesOf, withCode } from './support.ts';
import { shown } from './tree-support.ts';

const tree = (bytes: Uint8Array, options?: TarTreeOptions) => shown(tarTree(memorySource(bytes), options));
const treeOf = (members: readonly MadeMember[], options?: TarTreeOptions) => tree(makeTar(members), options);
const field = (at: number, text: string) => (header: Uint8Array) => header.set(bytesOf(text), at);
const octets =
  (at: number, ...values: number[]) =>
  (header: Uint8Array) =>
    header.set(values, at);

const SOUND: readonly MadeMember[] = [
  { name: './', type: '5' },
  paxMember(['path', 'a file'], ['mtime', '1.5'], ['SCHILY.xattr.user.x', Uint8Array.of(0, 255, 10)]),
  { name: 'short', content: 'content' },
  { name: '././@LongLink', type: 'L', content: `${'l'.repeat(200)}\0` },
  { name: 'link', type: '1', link: './a file' },
];

test('the archive as it is', () => {
  const { 'a file': file, ...rest } = treeOf(SOUND) as Record<string, Record<string, unknown>>;
  assert.deepEqual(file?.['xattrs'], { 'user.x': '00ff0a' });
  assert.deepEqual([file?.['mtimeSeconds'], file?.['mtimeNanoseconds'], file?.['uid'], file?.['gid']], [1, 5e8, 1, 2]);
  assert.equal(rest['l'.repeat(200)], '= a file');
});

test('every truncation is an error, but for the second block of zeros', () => {
  const bytes = makeTar(SOUND);
  for (let length = 0; length < bytes.length - 512; length++) {
    assert.throws(() => tree(bytes.subarray(0, length)), withCode('tar_malformed'), `${length} octets`);
  }
  tree(bytes.subarray(0, bytes.length - 512));
  // POSIX: what follows the end is undefined.
  tree(concatBytes(bytes, bytesOf('anything')));
});

test('a changed octet of a header is an error', () => {
  const bytes = makeTar([{ name: 'f', content: 'x' }]);
  for (let at = 0; at < 512; at++) {
    // Behind the NUL of the checksum there may be anything.
    if (at === 155) continue;
    const changed = bytes.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x41;
    assert.throws(() => tree(changed), withCode('tar_malformed'), `octet ${at}`);
  }
});

for (const [what, members, code] of [
  ['a path that climbs out', [{ name: '../f' }], 'path_escape'],
  ['a path that climbs and comes back', [{ name: 'a/../f' }], 'path_escape'],
  ['a path of an extended header that climbs out', [paxMember(['path', 'a/../../f']), { name: 'f' }], 'path_escape'],
  ['a long name that climbs out', [{ name: 'x', type: 'L', content: '../f\0' }, { name: 'f' }], 'path_escape'],
  ['a hard link that leads out', [{ name: 'f', type: '1', link: '../../etc/passwd' }], 'path_escape'],
  ['a hard link to nothing', [{ name: 'f', type: '1', link: 'g' }], 'tree_invalid'],
  ['a hard link to itself', [{ name: 'f' }, { name: 'g', type: '1', link: 'g' }], 'tree_invalid'],
  [
    'a hard link to a directory',
    [
      { name: 'd/', type: '5' },
      { name: 'g', type: '1', link: 'd' },
    ],
    'tree_invalid',
  ],
  [
    'a hard link through a symbolic one',
    [
      { name: 'd', type: '2', link: '/etc' },
      { name: 'g', type: '1', link: 'd/passwd' },
    ],
    'link_followed',
  ],
  ['a hard link with content', [{ name: 'f' }, { name: 'g', type: '1', link: 'f', content: 'x' }], 'tar_unsupported'],
  ['a file through a symbolic link', [{ name: 'd', type: '2', link: '/etc' }, { name: 'd/passwd' }], 'link_followed'],
  ['a file through a file', [{ name: 'd' }, { name: 'd/f' }], 'tree_invalid'],
  ['a file where something lies in it', [{ name: 'd/f' }, { name: 'd' }], 'tree_invalid'],
  ['a root that is a symbolic link', [{ name: '.', type: '2', link: '/' }], 'tree_invalid'],
  ['a root that is a file', [{ name: './', type: '7' }], 'tar_malformed'],
  ['a file twice', [{ name: 'f' }, { name: './/f' }], 'path_duplicate'],
  [
    'a directory twice',
    [
      { name: 'd', type: '5' },
      { name: 'd/', type: '5' },
    ],
    'path_duplicate',
  ],
  ['a name of 256 octets', [paxMember(['path', 'n'.repeat(256)]), { name: 'f' }], 'name_invalid'],
  ['a path of 4096 octets', [paxMember(['path', `${'n/'.repeat(2047)}nn`]), { name: 'f' }], 'name_invalid'],
  ['a name with NUL in an extended header', [paxMember(['path', 'a\0b']), { name: 'f' }], 'name_invalid'],
  ['a name that is not UTF-8', [{ name: Uint8Array.of(0x66, 0xff) }], 'name_invalid'],
  ['a symbolic link to nothing', [{ name: 'f', type: '2' }], 'tar_malformed'],
  ['a member without a name', [{ name: '' }], 'tar_malformed'],
  ['a volume of several', [{ name: 'f', type: 'M' }], 'tar_unsupported'],
  ['an old list of names', [{ name: 'f', type: 'N' }], 'tar_unsupported'],
  ['an unknown type', [{ name: 'f', type: '8' }], 'tar_unsupported'],
  ['a sparse file that is not of GNU', [{ name: 'f', type: 'S' }], 'tar_unsupported'],
  ['a size that is no number', [{ name: 'f', edit: field(124, '0000000000x\0') }], 'tar_malformed'],
  ['a negative size', [{ name: 'f', edit: octets(124, 0xff, ...Array(10).fill(0xff), 0xff) }], 'tar_malformed'],
  ['a size of 2^95', [{ name: 'f', edit: octets(124, 0xbf, ...Array(11).fill(0xff)) }], 'tar_malformed'],
  ['a size beyond the archive', [{ name: 'f', size: 2 ** 30 }], 'tar_malformed'],
  [
    'a size of 2^53 - 1',
    [{ name: 'f', edit: octets(124, 0x80, 0, 0, 0, 0, 0x1f, ...Array(6).fill(0xff)) }],
    'tar_malformed',
  ],
  ['a size in an extended header', [paxMember(['size', '99999']), { name: 'f' }], 'tar_malformed'],
  ['a size below zero in an extended header', [paxMember(['size', '-1']), { name: 'f' }], 'tar_malformed'],
  ['a size that is no number in an extended header', [paxMember(['size', '0x10']), { name: 'f' }], 'tar_malformed'],
  ['two extended headers', [paxMember(['path', 'a']), paxMember(['path', 'b']), { name: 'f' }], 'tar_malformed'],
  [
    'two long names',
    [{ name: 'x', type: 'L', content: 'a\0' }, { name: 'x', type: 'L', content: 'b\0' }, { name: 'f' }],
    'tar_malformed',
  ],
  ['an extended header of nothing', [paxMember(['path', 'a'])], 'tar_malformed'],
  ['a long name of nothing', [{ name: 'x', type: 'L', content: 'a\0' }], 'tar_malformed'],
  ['an extended header of 16 MiB and more', [{ name: 'x', type: 'x', size: 16 * 2 ** 20 + 1 }], 'limit'],
  ['a long name of 64 KiB and more', [{ name: 'x', type: 'K', size: 65537 }], 'limit'],
  ['an owner below zero', [{ name: 'f', edit: octets(108, ...Array(8).fill(0xff)) }], 'tar_malformed'],
  ['an owner of 2^32 - 1', [paxMember(['gid', '4294967295']), { name: 'f' }], 'tar_malformed'],
  ['a device of 13 bits', [paxMember(['SCHILY.devmajor', '4096']), { name: 'f', type: '3' }], 'tar_malformed'],
  [
    'an attribute in base64 that is none',
    [paxMember(['LIBARCHIVE.xattr.user.a', '!!']), { name: 'f' }],
    'tar_malformed',
  ],
  ['an attribute with a bad percent', [paxMember(['LIBARCHIVE.xattr.user.%zz', 'AA']), { name: 'f' }], 'tar_malformed'],
  ['an ACL that is none', [paxMember(['SCHILY.acl.access', 'rwx']), { name: 'f' }], 'tar_malformed'],
  ['an ACL with names', [paxMember(['SCHILY.acl.access', 'user:somebody:rwx']), { name: 'f' }], 'tar_unsupported'],
] as const satisfies readonly (readonly [string, readonly MadeMember[], DiskErrorCode])[]) {
  test(`${what}: ${code}`, () => assert.throws(() => treeOf(members), withCode(code)));
}

test('pax records that are none', () => {
  for (const text of [
    '',
    '6 a=b\nx',
    '5 a=b\n',
    '7 a=b\n',
    '6 a=bx',
    '6a=b\n',
    '4 =b\n',
    '5 ab\n',
    '-6 a=b\n',
    '1234567890 a=b\n',
    '06 path=\n',
  ]) {
    const members = [{ name: 'x', type: 'x', content: text }, { name: 'f' }];
    if (text === '') assert.ok('f' in treeOf(members));
    else assert.throws(() => treeOf(members), withCode('tar_malformed'), JSON.stringify(text));
  }
});

test('sparse maps that lie', () => {
  const sparse = (records: readonly [string, string][], content: string) => [
    paxMember(...records),
    { name: 'f', content },
  ];
  const map01 = (map: string, size = '100'): readonly [string, string][] => [
    ['GNU.sparse.size', size],
    ['GNU.sparse.map', map],
  ];
  const map10 = (size: string): readonly [string, string][] => [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.realsize', size],
  ];
  const block = (text: string): string => text.padEnd(512, '\0');
  assert.ok('f' in treeOf(sparse(map01('0,2,10,1'), 'abc')));
  assert.ok('f' in treeOf(sparse(map10('100'), `${block('2\n0\n2\n10\n1\n')}abc`)));
  for (const [records, content] of [
    [map01('0,2,10,2'), 'abc'],
    [map01('10,1,0,2'), 'abc'],
    [map01('0,2,1,1'), 'abc'],
    [map01('0,2,99,2'), 'abcd'],
    [map01('0,3,'), 'abc'],
    [map01('0,x'), 'abc'],
    [map01('0,-1,0,4'), 'abc'],
    [map01('0,3', '-1'), 'abc'],
    [map01('9007199254740991,3'), 'abc'],
    [
      [
        ['GNU.sparse.size', '9'],
        ['GNU.sparse.numbytes', '3'],
      ],
      'abc',
    ],
    [map10('100'), block('3\n0\n2\n10\n1\n')],
    [map10('100'), 'abc'],
    [map10('1'), `${block('1\n0\n3\n')}abc`],
    [map10('100'), block(`${'1'.repeat(30)}\n`)],
  ] as [readonly [string, string][], string][]) {
    assert.throws(
      () => treeOf(sparse(records, content)),
      withCode('tar_malformed'),
      JSON.stringify([records, content.slice(0, 20)]),
    );
  }
  assert.throws(() => treeOf(sparse(map10('100'), block('1000001\n'))), withCode('limit'));
  const version2 = sparse(
    [
      ['GNU.sparse.major', '2'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '9'],
    ],
    block('0\n'),
  );
  assert.throws(() => treeOf(version2), withCode('tar_unsupported'));
});

test('a few octets that claim to be more than a disk', () => {
  const bomb = [paxMember(['GNU.sparse.size', String(2 ** 50)], ['GNU.sparse.map', '']), { name: 'f' }];
  assert.throws(() => treeOf(bomb), withCode('limit'));
  assert.ok('f' in treeOf([paxMember(['GNU.sparse.size', '4096'], ['GNU.sparse.map', '']), { name: 'f' }]));
});

test('limits, and one less', () => {
  const bytes = makeTar([
    { name: 'a', content: '12' },
    { name: 'b', content: '3' },
  ]);
  const read = (limits: TarLimits) => [...readTar(memorySource(bytes), limits)].length;
  assert.equal(read({ maxEntries: 2, maxContentBytes: 3 }), 2);
  assert.throws(() => read({ maxEntries: 1 }), withCode('limit'));
  assert.throws(() => read({ maxContentBytes: 2 }), withCode('limit'));
});

test('the last one counts where that is asked for', () => {
  const members = [
    { name: 'f', content: 'first' },
    { name: 'hard', type: '1', link: 'f' },
    { name: 'f', content: 'second' },
  ];
  const { f, hard } = treeOf(members, { duplicates: 'replace' }) as Record<string, { content: string }>;
  assert.deepEqual(
    [f?.content, hard?.content],
    [Buffer.from('second').toString('hex'), Buffer.from('first').toString('hex')],
  );
});

test('what archives of the field have, and no standard forbids', () => {
  const global = { name: 'pax', type: 'g', content: concatBytes(paxRecord('comment', 'x'), paxRecord('uid', '7')) };
  const all = treeOf([
    global,
    { name: '/usr//./bin/' },
    paxMember(['uid', '']),
    { name: '/usr/bin/tool', type: '\0', content: 'x' },
    { name: 'spaces', edit: field(108, '     1 \0') },
    { name: 'empty', edit: (header) => header.fill(0, 100, 124) },
    { name: 'before 1970', edit: octets(136, ...Array(12).fill(0xff)) },
    { name: 'volume', type: 'V' },
    { name: 'dir with size', type: '5', size: 4096 },
    { name: 'signed \u{fc}' },
  ]) as Record<string, Record<string, unknown>>;
  assert.deepEqual(
    [all['usr/bin']?.['kind'], all['usr/bin']?.['uid'], all['usr/bin/tool']?.['uid'], all['spaces']?.['uid']],
    ['directory', 7, 1, 7],
  );
  assert.deepEqual([all['usr']?.['mode'], all['usr']?.['uid'], all['empty']?.['mode']], [0o755, 0, 0]);
  assert.equal(all['before 1970']?.['mtimeSeconds'], 0);
  assert.equal(all['volume'], undefined);
  assert.ok(all['dir with size'] !== undefined);
});

test('a sum of signed octets, as old writers made it', () => {
  const bytes = makeTar([{ name: 'ü' }]);
  const sum = bytes
    .subarray(0, 512)
    .reduce((total, octet, i) => total + (i >= 148 && i < 156 ? 0x20 : octet < 128 ? octet : octet - 256), 0);
  bytes.set(bytesOf(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  assert.ok('ü' in tree(bytes));
});

test('changed octets never raise anything but our errors', () => {
  const original = makeTar(SOUND);
  for (let at = 0; at < original.length; at += 3) {
    const bytes = original.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 0xa5;
    try {
      for (const { entry } of readTar(memorySource(bytes)))
        if (entry.kind === 'file') readBytes(entry.content, 0, entry.content.size);
    } catch (error) {
      assert.ok(isVouchsafeError(error), `octet ${at}: ${error}`);
    }
  }
});
