// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import test from 'node:test';
import { applyTreeRules, clampTimes, compileGlob, GrowingTree, type TreeEntry, type TreeRule } from '@vouchsafe/disk';
import fc from 'fast-check';
import { textSource, withCode } from './support.ts';
import { folder, shown } from './tree-support.ts';

const file = (path: string, text = path, more: Partial<TreeEntry> = {}): TreeEntry =>
  ({
    kind: 'file',
    path,
    mode: 0o644,
    uid: 5,
    gid: 6,
    mtimeSeconds: 10,
    content: textSource(text),
    ...more,
  }) as TreeEntry;
const symlink = (path: string, target: string): TreeEntry => ({
  kind: 'symlink',
  path,
  mode: 0o777,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  target,
});
const hardlink = (path: string, target: string): TreeEntry => ({ kind: 'hardlink', path, target });

for (const [pattern, matching, others] of [
  ['etc/*.conf', ['etc/a.conf', 'etc/.conf'], ['etc/d/a.conf', 'a.conf', 'etc/a.conf/b']],
  ['/etc/?', ['etc/a', 'etc/\u{1f600}'], ['etc', 'etc/ab', 'etc/']],
  ['**', ['', 'a', 'a/b/c'], []],
  ['**/x', ['x', 'a/x', 'a/b/x'], ['x/a', 'ax']],
  ['a/**', ['a', 'a/b', 'a/b/c'], ['b', 'ab']],
  ['a/**/b/**/c', ['a/b/c', 'a/x/b/y/z/c', 'a/b/b/c'], ['a/c', 'a/b/x']],
  ['[a-c][!x]', ['ay', 'c-'], ['dx', 'ax', 'a']],
  ['[]a]', [']', 'a'], ['b']],
  ['[!]a]', ['b'], [']', 'a']],
  ['[a-]', ['a', '-'], ['b']],
  ['\\*\\[', ['*['], ['a[']],
  ['/', [''], ['a']],
  ['*a*b*', ['ab', 'xaxbx', 'aab'], ['ba', 'b']],
] as const) {
  test(`the pattern ${pattern}`, () => {
    const matches = compileGlob(pattern);
    for (const path of matching) assert.ok(matches(path), path);
    for (const path of others) assert.ok(!matches(path), path);
  });
}

test('patterns that are none', () => {
  for (const pattern of ['', 'a//b', 'a/', '../a', './a', '[a', 'a\\', '[b-a]', 'a'.repeat(5000)]) {
    assert.throws(() => compileGlob(pattern), withCode('options_invalid'), pattern);
  }
});

test('a pattern without wild cards matches itself alone', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.stringMatching(/^[a-z.]{1,4}$/).filter((part) => !/^\.\.?$/.test(part)),
        { minLength: 1, maxLength: 4 },
      ),
      (parts) => {
        const path = parts.join('/');
        assert.ok(compileGlob(path)(path));
        assert.ok(compileGlob('**')(path) && compileGlob(parts.map(() => '*').join('/'))(path));
        assert.ok(!compileGlob(path)(`${path}x`));
      },
    ),
  );
});

test('a pattern that makes others take for ever', () => {
  const matches = compileGlob(`${'*a'.repeat(500)}b`);
  assert.ok(!matches('a'.repeat(200)));
  assert.ok(!compileGlob(`${'**/a/'.repeat(500)}b`)(`${'a/'.repeat(200)}a`));
});

const TREE: readonly TreeEntry[] = [
  folder(''),
  folder('etc'),
  file('etc/shadow', 'x', { mode: 0o600, xattrs: [{ name: 'security.selinux', value: Uint8Array.of(1) }] }),
  file('etc/hosts'),
  folder('usr'),
  file('usr/a', 'shared'),
  hardlink('usr/b', 'usr/a'),
  hardlink('usr/c', 'usr/a'),
  symlink('usr/link', 'a'),
];

type Shown = Record<string, Record<string, unknown> & { xattrs?: Record<string, string> }>;
const applied = (...rules: TreeRule[]): Shown => shown(applyTreeRules(TREE, rules)) as Shown;

test('owners, modes and attributes are set, by pattern, kind and owner', () => {
  const all = applied(
    { match: { paths: ['**'] }, set: { uid: 0, gid: 0 } },
    { match: { paths: ['etc/**'], kinds: ['file'] }, set: { mode: 0o640, addMode: 0o4000, removeMode: 0o040 } },
    { match: { paths: ['etc/shadow'] }, set: { xattrs: { 'security.selinux': null, 'user.x': Uint8Array.of(2) } } },
    { match: { paths: ['**'], kinds: ['symlink'] }, set: { mode: 0o600, uid: 9 } },
    { match: { paths: ['**'], uid: 9 }, set: { gid: 8, mtimeSeconds: 7 } },
  );
  assert.deepEqual([all['etc/shadow']?.['mode'], all['etc']?.['mode'], all['etc/hosts']?.['uid']], [0o4600, 0o755, 0]);
  assert.deepEqual(all['etc/shadow']?.xattrs, { 'user.x': '02' });
  const link = all['usr/link'];
  assert.deepEqual([link?.['mode'], link?.['uid'], link?.['gid'], link?.['mtimeSeconds']], [0o777, 9, 8, 7]);
});

test('a rule for one name of a file is for the file', () => {
  assert.equal(applied({ match: { paths: ['usr/c'] }, set: { mode: 0o755 } })['usr/a']?.['mode'], 0o755);
});

test('removing takes names, and what lies below them; a file stays under the names left', () => {
  const all = applied({ match: { paths: ['etc', 'usr/a'] }, remove: true });
  assert.deepEqual(Object.keys(all), ['', 'usr', 'usr/b', 'usr/c', 'usr/link']);
  assert.equal(all['usr/c'], '= usr/b');
  assert.equal(all['usr/b']?.['content'], Buffer.from('shared').toString('hex'));
});

test('rules that say nothing, or cannot be', () => {
  const set = { uid: 0 };
  assert.throws(() => applied({ match: { paths: ['opt/**'] }, set }), withCode('rule_unmatched'));
  assert.deepEqual(applied({ match: { paths: ['opt/**'] }, set, isOptional: true }), shown(TREE));
  for (const rule of [
    { match: { paths: [] }, set },
    { match: { paths: ['**'] } },
    { match: { paths: ['**'] }, remove: true, set },
    { match: { paths: ['/'] }, remove: true },
    { match: { paths: ['**'] }, set: { mode: 0o10000 } },
    { match: { paths: ['**'] }, set: { uid: -1 } },
    { match: { paths: ['**'] }, set: { gid: 2 ** 32 - 1 } },
    { match: { paths: ['**'] }, set: { mtimeSeconds: 0.5 } },
    { match: { paths: ['**'] }, set: { xattrs: { nonsense: null } } },
  ] satisfies TreeRule[]) {
    assert.throws(() => applied(rule), withCode('options_invalid'), JSON.stringify(rule));
  }
});

test('nothing is newer than the build says', () => {
  const times = clampTimes(
    [folder(''), file('old'), file('new', '', { mtimeSeconds: 20, mtimeNanoseconds: 5 })] as TreeEntry[],
    15,
  );
  assert.deepEqual(
    times.map((entry) => ('mtimeSeconds' in entry ? [entry.mtimeSeconds, entry.mtimeNanoseconds] : [])),
    [
      [0, undefined],
      [10, undefined],
      [15, 0],
    ],
  );
});

/** A tree of layers. */
function layered(...layers: readonly (readonly (TreeEntry | ((tree: GrowingTree) => void))[])[]): string[] {
  const tree = new GrowingTree();
  for (const layer of layers) {
    tree.startLayer();
    for (const step of layer) {
      if (typeof step === 'function') step(tree);
      else tree.add(step);
    }
  }
  return Object.entries(shown(tree.entries()) as Shown).map(([path, entry]) =>
    typeof entry === 'string'
      ? `${path} ${entry}`
      : `${path} ${entry['content'] === undefined ? entry['kind'] : Buffer.from(String(entry['content']), 'hex')}`,
  );
}

test('layers: what comes later counts, removal is of lower layers only', () => {
  assert.deepEqual(layered([file('d/f', '1')], [file('d/f', '2')]), [' directory', 'd directory', 'd/f 2']);
  assert.deepEqual(layered([file('d/f', '1')], [(tree) => assert.ok(tree.removeLower('d')), file('e', '2')]), [
    ' directory',
    'e 2',
  ]);
  assert.deepEqual(layered([file('d/f', '1')], [file('d/g', '2'), (tree) => tree.removeLower('d')]), [
    ' directory',
    'd directory',
    'd/g 2',
  ]);
  assert.deepEqual(
    layered([file('d/f', '1'), file('d/x/y', '1')], [folder('d'), (tree) => tree.clearLower('d'), file('d/g', '2')]),
    [' directory', 'd directory', 'd/g 2'],
  );
  assert.deepEqual(layered([file('d/f', '1')], [file('d', 'now a file')]), [' directory', 'd now a file']);
  assert.deepEqual(layered([file('d', '1')], [folder('d'), file('d/f', '2')]), [' directory', 'd directory', 'd/f 2']);
  assert.deepEqual(layered([symlink('lib', 'usr/lib')], [(tree) => tree.removeLower('lib'), file('lib/f', '2')]), [
    ' directory',
    'lib directory',
    'lib/f 2',
  ]);
  const none: string[] = layered([file('f', '1')], [(tree) => assert.ok(!tree.removeLower('g/h'))]);
  assert.deepEqual(none, [' directory', 'f 1']);
});

test('layers: a file keeps its other names when one is replaced', () => {
  assert.deepEqual(layered([file('a', '1'), hardlink('b', 'a'), hardlink('c', 'a')], [file('a', '2')]), [
    ' directory',
    'a 2',
    'b 1',
    'c = b',
  ]);
  assert.deepEqual(layered([file('a', '1')], [hardlink('b', 'a')]), [' directory', 'a 1', 'b = a']);
});

test('entries that were replaced do not count towards the limit', () => {
  const tree = new GrowingTree({ maxEntries: 4 });
  for (let i = 0; i < 10; i++) {
    tree.startLayer();
    tree.add(folder('d'));
    tree.add(file('d/f', String(i)));
    tree.removeLower('d/g');
    tree.add(file('d/g'));
    tree.startLayer();
    tree.add(file('d', ''));
  }
  tree.add(file('e'));
  tree.add(file('f'));
  assert.throws(() => tree.add(file('g')), withCode('limit'));
});
