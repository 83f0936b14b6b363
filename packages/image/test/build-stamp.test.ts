// SPDX-License-Identifier: Apache-2.0
// A build that is not repeated where nothing has changed: whatever changes, it is built again.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { toHex } from '@vouchsafe/base';
import { buildWhenChanged, parseRecipe, type UpToDateImage } from '@vouchsafe/image';
import { tempDir } from '@vouchsafe/testing';
import { makeRecipeFolder } from './recipe-folder.ts';

/** So long a file must have been as it is to be believed; twice what the stamp asks for. */
const SETTLED_MS = 120;

interface Place {
  readonly folder: string;
  readonly text: string;
}

async function place(t: Parameters<typeof tempDir>[0]): Promise<Place> {
  const folder = tempDir(t);
  return { folder, text: await makeRecipeFolder(folder) };
}

async function build({ folder, text }: Place, more: { readonly rebuild?: boolean } = {}): Promise<UpToDateImage> {
  await pause(SETTLED_MS);
  const recipe = parseRecipe(text, 'recipe.yaml');
  return buildWhenChanged(recipe, { recipeFolder: folder, outputFolder: join(folder, 'out'), force: true, ...more });
}

test('nothing changed: nothing is written, and the answer is the same', async (t) => {
  const at = await place(t);
  const first = await build(at);
  const before = statSync(first.diskPath, { bigint: true });
  const second = await build(at);
  assert.deepEqual([first.wasUnchanged, second.wasUnchanged], [false, true]);
  assert.deepEqual({ ...second, wasUnchanged: false }, first);
  assert.equal(statSync(first.diskPath, { bigint: true }).ctimeNs, before.ctimeNs);
  // The recipe's own words do not count, what they say does.
  assert.ok((await build({ ...at, text: `# a comment\n${at.text}` })).wasUnchanged);
  assert.equal((await build(at, { rebuild: true })).wasUnchanged, false);
});

test('a recipe that leaves out what may be left out is watched for no more than it names', async (t) => {
  const at = await place(t);
  const short = { ...at, text: at.text.replace('command-line: quiet\n', '') };
  await build(short);
  assert.equal((await build(short)).wasUnchanged, true);
});

test('whatever changes is built again, once', async (t) => {
  const at = await place(t);
  await build(at);
  const tool = join(at.folder, 'root', 'usr', 'bin', 'tool');
  const out = (name: string): string => join(at.folder, 'out', name);
  const keepTimes = (path: string, change: () => void): void => {
    const { atime, mtime } = statSync(path);
    change();
    utimesSync(path, atime, mtime);
  };
  const changes: readonly (readonly [what: string, change: () => void])[] = [
    ['a file of the root, of the same size and time', () => keepTimes(tool, () => writeFileSync(tool, '#!/bin/s2\n'))],
    ['its mode', () => chmodSync(tool, 0o700)],
    ['a new file', () => writeFileSync(join(at.folder, 'root', 'new'), '')],
    ['one that goes', () => rmSync(join(at.folder, 'root', 'new'))],
    ['one that is renamed', () => renameSync(join(at.folder, 'root', 'sbin'), join(at.folder, 'root', 'sbin2'))],
    ['and back', () => renameSync(join(at.folder, 'root', 'sbin2'), join(at.folder, 'root', 'sbin'))],
    ['the stub', () => appendFileSync(join(at.folder, 'stub.efi'), '\0')],
    ['the kernel', () => appendFileSync(join(at.folder, 'kernel', 'boot', 'vmlinuz-6.1'), '\0')],
    ['the initrd', () => appendFileSync(join(at.folder, 'initrd.cpio'), '\0\0\0\0')],
    [
      'a key',
      () => keepTimes(join(at.folder, 'keys', 'db.key'), () => appendFileSync(join(at.folder, 'keys', 'db.key'), '\n')),
    ],
    ['an output', () => appendFileSync(out('edge_1.0.0.raw'), 'x')],
    [
      'another output, with its times',
      () => keepTimes(out('edge_1.0.0.files.json'), () => appendFileSync(out('edge_1.0.0.files.json'), ' ')),
    ],
    ['an output that goes', () => rmSync(out('edge_1.0.0.efi'))],
    ['the stamp', () => writeFileSync(out('.edge_1.0.0.build.json'), '{')],
  ];
  for (const [what, change] of changes) {
    change();
    assert.equal((await build(at)).wasUnchanged, false, what);
    assert.equal((await build(at)).wasUnchanged, true, `${what}, and then nothing`);
  }
  assert.equal((await build({ ...at, text: at.text.replace('quiet', 'loud') })).wasUnchanged, false);
});

test('what is built after a change is what would be built without any stamp', async (t) => {
  const at = await place(t);
  const first = await build(at);
  const path = join(at.folder, 'root', 'usr', 'lib', 'data');
  const { atime, mtime } = statSync(path);
  const content = readFileSync(path);
  content[1000] = 0x21;
  writeFileSync(path, content);
  utimesSync(path, atime, mtime);
  const changed = await build(at);
  assert.notEqual(toHex(changed.rootHash), toHex(first.rootHash));
  rmSync(join(at.folder, 'out'), { recursive: true });
  assert.equal(toHex((await build(at)).rootHash), toHex(changed.rootHash));
});

test('an input that is as new as the build may have been read before it changed: it is built again', async (t) => {
  const at = await place(t);
  await pause(SETTLED_MS);
  writeFileSync(join(at.folder, 'root', 'usr', 'bin', 'tool'), '#!/bin/s3\n');
  const recipe = parseRecipe(at.text, 'recipe.yaml');
  const options = { recipeFolder: at.folder, outputFolder: join(at.folder, 'out'), force: true };
  await buildWhenChanged(recipe, options);
  assert.equal((await build(at)).wasUnchanged, false);
  assert.equal((await build(at)).wasUnchanged, true);
});

test('a link that leads elsewhere is another input', async (t) => {
  const at = await place(t);
  for (const name of ['a', 'b']) {
    mkdirSync(join(at.folder, name));
    copyFileSync(join(at.folder, 'stub.efi'), join(at.folder, name, 'stub.efi'));
  }
  symlinkSync('a', join(at.folder, 'current'));
  const linked = { ...at, text: at.text.replace('stub: stub.efi', 'stub: current/stub.efi') };
  await build(linked);
  assert.equal((await build(linked)).wasUnchanged, true);
  rmSync(join(at.folder, 'current'));
  symlinkSync('b', join(at.folder, 'current'));
  assert.equal((await build(linked)).wasUnchanged, false);
});

test('a stamp of another form, or of other outputs, is no stamp', async (t) => {
  const at = await place(t);
  await build(at);
  const path = join(at.folder, 'out', '.edge_1.0.0.build.json');
  const stamp = JSON.parse(readFileSync(path, 'utf8'));
  for (const changed of [
    null,
    [],
    { ...stamp, form: 0 },
    { ...stamp, inputs: undefined },
    { ...stamp, outputs: { '../recipe.yaml': '' } },
    { ...stamp, inputs: {} },
  ]) {
    writeFileSync(path, JSON.stringify(changed));
    assert.equal((await build(at)).wasUnchanged, false, JSON.stringify(changed)?.slice(0, 80));
  }
});
