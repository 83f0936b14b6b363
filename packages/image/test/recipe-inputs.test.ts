// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readBytes } from '@vouchsafe/bytes';
import {
  ImageError,
  openKernel,
  openRoot,
  parseKernelInput,
  parseRecipe,
  parseRootInput,
  parseTreeRules,
  RecipeNode,
} from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { codeOfRejected, writeTree } from './support.ts';

const parse = (text: string): RecipeNode => RecipeNode.parse(text, 'r.yaml');

/** Where a recipe is refused: LINE:COLUMN. */
function refusedAt(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ImageError && error.code === 'recipe_invalid', `${error}`);
    const [, place] = /^r\.yaml:([0-9]+:[0-9]+): /.exec(error.message) ?? [];
    assert.ok(place !== undefined, error.message);
    return place;
  }
  return assert.fail('expected an error');
}

test('roots: a folder, a tar archive, an OCI image, packages, or layers of them', () => {
  const layers = (text: string) => parseRootInput(parse(text).member('root'));
  const root = (text: string) => layers(text)[0];
  assert.deepEqual(root('root: { folder: ./tree, xattrs: ignore }'), {
    kind: 'folder',
    path: './tree',
    xattrs: 'ignore',
  });
  assert.deepEqual(root('root:\n  tar: debian.tar.zst\n  duplicates: replace\n'), {
    kind: 'tar',
    path: 'debian.tar.zst',
    duplicates: 'replace',
  });
  assert.deepEqual(root('root:\n  oci: layout\n  platform: linux/arm64/v8\n  reference: v1\n'), {
    kind: 'oci',
    path: 'layout',
    platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    reference: 'v1',
  });
  assert.deepEqual(layers('root: { packages: [a.deb, b.deb] }'), [
    { kind: 'deb', path: 'a.deb' },
    { kind: 'deb', path: 'b.deb' },
  ]);
  assert.deepEqual(
    layers(
      'root:\n  layers:\n    - packages: [a.deb]\n    - { folder: b, at: /opt/b }\n    - { file: c, at: bin/c, mode: 0755 }\n',
    ),
    [
      { kind: 'deb', path: 'a.deb' },
      { kind: 'folder', path: 'b', at: 'opt/b' },
      { kind: 'file', path: 'c', at: 'bin/c', mode: 0o755 },
    ],
  );
  for (const [text, place] of [
    ['root:\n  layers: [{ folder: a, at: ../b }]\n', '2:29'],
    ['root:\n  layers: [{ file: a }]\n', '2:12'],
    ['root:\n  layers: [{ folder: a }]\n  tar: b\n', '3:8'],
    ['root: { file: a, at: b }\n', '1:7'],
    ['root: debian.tar', '1:7'],
    ['root:\n  tar: a\n  oci: b\n', '2:3'],
    ['root:\n  xattrs: read\n', '2:3'],
    ['root:\n  tar: a\n  xattrs: read\n', '3:11'],
    ['root:\n  tar: [a]\n', '2:8'],
    ['root:\n  tar: 5\n', '2:8'],
    ['root:\n  tar: ""\n', '2:8'],
    ['root:\n  tar:\n', '2:3'],
    ['root:\n  oci: a\n  platform: amd64\n', '3:13'],
    ['root:\n  folder: a\n  xattrs: maybe\n', '3:11'],
    ['rot:\n  tar: a\n', '1:1'],
  ] as const) {
    assert.equal(
      refusedAt(() => root(text)),
      place,
      text,
    );
  }
});

test(
  'a root of layers: what comes later lies over what is there, and one file is put into it',
  needsTool('dpkg-deb'),
  async (t) => {
    const temp = tempDir(t);
    const control = 'Package: base\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n';
    writeTree(join(temp, 'base'), { 'DEBIAN/control': control, 'usr/bin/app': 'first', 'usr/bin/tool': 'tool' });
    execFileSync('dpkg-deb', ['--root-owner-group', '--build', join(temp, 'base'), join(temp, 'base.deb')], {
      stdio: 'ignore',
    });
    writeTree(join(temp, 'over'), { 'bin/app': 'second' });
    writeFileSync(join(temp, 'agent.mjs'), 'agent');
    const text =
      'layers:\n  - packages: base.deb\n  - { folder: over, at: usr }\n  - { file: agent.mjs, at: /usr/lib/x/agent.mjs, mode: 0755 }\n';
    const input = parseRootInput(parse(text));
    using root = await openRoot({ input, rules: [], folder: temp, timestampSeconds: 1_000 });
    const files = root.entries.flatMap((entry) =>
      entry.kind === 'file'
        ? [[entry.path, Buffer.from(readBytes(entry.content, 0, entry.content.size)).toString()]]
        : [],
    );
    assert.deepEqual(files, [
      ['usr/bin/app', 'second'],
      ['usr/bin/tool', 'tool'],
      ['usr/lib/x/agent.mjs', 'agent'],
    ]);
    const agent = root.entries.find(({ path }) => path === 'usr/lib/x/agent.mjs');
    assert.ok(agent?.kind === 'file' && agent.mode === 0o755 && agent.uid === 0 && agent.mtimeSeconds === 1_000);
    const missing = parseRootInput(parse('layers: [{ file: nothing, at: a }]'));
    await assert.rejects(openRoot({ input: missing, rules: [], folder: temp, timestampSeconds: 0 }), {
      code: 'not_found',
    });
  },
);

test('YAML that is none, says a name twice, or is not all that it seems', () => {
  for (const [text, place] of [
    ['a: [', '1:5'],
    ['a: 1\na: 2\n', '2:1'],
    ['a: 1\n b: 2\n', '1:4'],
    ['a: !!python/object x\n', '1:4'],
    ['a: *nothing\n', '1:4'],
  ] as const) {
    assert.equal(
      refusedAt(() => parse(text).member('a').text()),
      place,
      text,
    );
  }
  assert.throws(
    () => parse('x'.repeat(1024 * 1024 + 1)),
    (error) => error instanceof ImageError,
  );
  assert.equal(parse('x: &it text\na: *it\n').member('a').text(), 'text');
});

const RULES = `rules:
  - paths: usr/share/doc/**
    remove: true
    optional: true
  - paths: [etc/*, "**/x"]
    kinds: [file, symlink]
    uid: 1000
    set:
      uid: 0
      mode: 0644
      add-mode: "4000"
      remove-mode: 0o022
      xattrs: { security.selinux: , user.x: text, security.capability: hex:0100 }
`;

test('rules: patterns, kinds, owners, modes and attributes', () => {
  const [first, second] = parseTreeRules(parse(RULES).member('rules'));
  assert.deepEqual(first, { match: { paths: ['usr/share/doc/**'] }, remove: true, isOptional: true });
  assert.deepEqual(second, {
    match: { paths: ['etc/*', '**/x'], kinds: ['file', 'symlink'], uid: 1000 },
    set: {
      uid: 0,
      mode: 0o644,
      addMode: 0o4000,
      removeMode: 0o022,
      xattrs: {
        'security.selinux': null,
        'user.x': new TextEncoder().encode('text'),
        'security.capability': Uint8Array.of(1, 0),
      },
    },
    isOptional: false,
  });
  assert.deepEqual(parseTreeRules(undefined), []);
  for (const [text, place] of [
    ['- { paths: a }', '1:3'],
    ['- { paths: a, remove: true, set: { uid: 0 } }', '1:3'],
    ['- { paths: a/../b, remove: true }', '1:12'],
    ['- { remove: true }', '1:3'],
    ['- { paths: a, set: { mode: 0999 } }', '1:28'],
    ['- { paths: a, set: { mode: u+x } }', '1:28'],
    ['- { paths: a, set: { uid: -1 } }', '1:27'],
    ['- { paths: a, set: { uid: 4294967295 } }', '1:27'],
    ['- { paths: a, set: { } }', '1:20'],
    ['- { paths: a, set: { owner: root } }', '1:29'],
    ['- { paths: a, set: { xattrs: { selinux: x } } }', '1:41'],
    ['- { paths: a, set: { xattrs: { user.x: "hex:0" } } }', '1:40'],
    ['- { paths: a, remove: yes please }', '1:23'],
    ['- { paths: a, kinds: [door], remove: true }', '1:23'],
  ] as const) {
    assert.equal(
      refusedAt(() => parseTreeRules(parse(text))),
      place,
      text,
    );
  }
});

test('a root with its rules, and no time later than the build', async (t) => {
  const temp = tempDir(t);
  writeTree(join(temp, 'in/tree'), { 'etc/a': 'a', 'usr/share/doc/x': 'x' });
  const input = parseRootInput(parse('folder: tree'));
  const rules = parseTreeRules(
    parse('- { paths: usr/share/doc, remove: true }\n- { paths: "**", set: { uid: 0, gid: 0 } }'),
  );
  using root = await openRoot({ input, rules, folder: join(temp, 'in'), timestampSeconds: 1_000 });
  assert.deepEqual(
    root.entries.map(({ path }) => path),
    ['', 'etc', 'etc/a', 'usr', 'usr/share'],
  );
  for (const entry of root.entries)
    assert.ok(entry.kind !== 'hardlink' && entry.uid === 0 && entry.mtimeSeconds === 1_000);
  const none = parseTreeRules(parse('- { paths: opt/**, remove: true }'));
  assert.equal(
    await codeOfRejected(openRoot({ input, rules: none, folder: join(temp, 'in'), timestampSeconds: 0 })),
    'rule_unmatched',
  );
});

test('kernels: of a folder, of Debian packages, of several versions', needsTool('dpkg-deb'), async (t) => {
  const temp = tempDir(t);
  const kernel = (text: string) => openKernel(parseKernelInput(parse(text)), temp);
  writeTree(join(temp, 'one'), {
    'boot/vmlinuz-6.1.0': 'kernel',
    'lib/modules/6.1.0/kernel/a.ko': 'module',
    'lib/modules/6.1.0/modules.builtin': '',
  });
  {
    using found = await kernel('folder: one');
    assert.equal(found.version, '6.1.0');
    assert.equal(Buffer.from(readBytes(found.image, 0, found.image.size)).toString(), 'kernel');
    assert.deepEqual(
      found.modules.map(({ path }) => path),
      ['kernel', 'kernel/a.ko', 'modules.builtin'],
    );
  }
  const control = (name: string) => `Package: ${name}\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n`;
  writeTree(join(temp, 'image'), { 'DEBIAN/control': control('image'), 'boot/vmlinuz-6.5': 'other' });
  writeTree(join(temp, 'modules'), { 'DEBIAN/control': control('modules'), 'lib/modules/6.5/b.ko': 'b' });
  for (const name of ['image', 'modules'])
    execFileSync('dpkg-deb', ['--build', join(temp, name), join(temp, `${name}.deb`)], { stdio: 'ignore' });
  {
    using found = await kernel('packages: [image.deb, modules.deb]');
    assert.deepEqual([found.version, ...found.modules.map(({ path }) => path)], ['6.5', 'b.ko']);
  }
  mkdirSync(join(temp, 'one/usr/lib/modules/6.9'), { recursive: true });
  writeFileSync(join(temp, 'one/usr/lib/modules/6.9/vmlinuz'), 'third');
  assert.equal(await codeOfRejected(kernel('folder: one')), 'kernel_missing');
  assert.equal(await codeOfRejected(kernel('{ folder: one, version: "6.2" }')), 'kernel_missing');
  using third = await kernel('{ folder: one, version: "6.9" }');
  assert.equal(third.image.size, 5);
  for (const text of ['{}', '{ folder: a, packages: b }', '{ folder: a, verison: b }'])
    refusedAt(() => parseKernelInput(parse(text)));
});

/** Members that a recipe must have, where an example does not. */
const LEAST = { name: 'edge', version: '"1"', root: '{ tar: t }', kernel: '{ folder: k }', keys: 'keys' };

test('the examples of docs/recipe.md are recipes', () => {
  const page = readFileSync(new URL('../../../docs/recipe.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => {
    const example = parse(text).members();
    const [[name] = assert.fail('an example of nothing')] = example;
    const isLayout = example.some(([key]) => key === 'layout');
    const more = Object.entries(LEAST).filter(([key]) => key !== name);
    const recipe = parseRecipe(
      text + (isLayout ? 'loader: l\n' : '') + more.map(([key, value]) => `${key}: ${value}\n`).join(''),
      'recipe.md',
    );
    return { name, recipe };
  });
  const roots = examples.filter(({ name }) => name === 'root');
  assert.deepEqual(
    roots.map(({ recipe }) => recipe.root.map(({ kind }) => kind).join()),
    ['tar', 'oci', 'folder', 'deb,deb', 'deb,tar,folder,file'],
  );
  const more = ['initrd', 'phases', 'layout', 'var', 'sysexts', 'profile'];
  for (const name of ['rules', 'kernel', 'ima', 'budgets', ...more])
    assert.ok(examples.some((example) => example.name === name));
});
