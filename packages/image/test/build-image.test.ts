// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Progress, parseUtf8, toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { digest } from '@vouchsafe/crypto';
import { type BuiltImage, buildImage, parseRecipe, sizeReport, verifyDisk } from '@vouchsafe/image';
import { verifyFileList } from '@vouchsafe/manifest';
import { tempDir } from '@vouchsafe/testing';
import { testSigner } from './made-disk.ts';
import { makeRecipeFolder } from './recipe-folder.ts';

async function build(folder: string, text: string, more: { readonly onProgress?: (progress: Progress) => void } = {}) {
  return buildImage(parseRecipe(text, 'recipe.yaml'), {
    recipeFolder: folder,
    outputFolder: join(folder, 'out'),
    ...more,
  });
}

const digestsIn = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, toHex(digest('sha256', readFileSync(join(folder, name))))]),
  );

function partOf(built: BuiltImage, of: string, kind = 'files') {
  const part = built.manifest.parts.find((found) => found.of === of && found.kind === kind);
  assert.ok(part !== undefined, of);
  const path = built.partPaths.find((found) => found.endsWith(part.path)) ?? '';
  return { part, bytes: new Uint8Array(readFileSync(path)) };
}

test('beside the manifest: the files of root and initrd, and packages, each by its digest', async (t) => {
  const folder = tempDir(t);
  const built = await build(folder, await makeRecipeFolder(folder, ['ima: { policy: tcb }']));
  const listed = (of: string): string[] => {
    const { part, bytes } = partOf(built, of);
    return verifyFileList(part, bytes).files.map(({ path }) => path);
  };
  // The made program says that it is stub 257, which hands on the release file, too.
  const byStub = ['/.extra/os-release', '/.extra/tpm2-pcr-public-key.pem', '/.extra/tpm2-pcr-signature.json'];
  assert.deepEqual(listed('initrd'), [...byStub, '/init']);
  assert.ok(listed('root').includes('/usr/bin/tool') && listed('root').every((path) => path.startsWith('/')));
  const { part, bytes } = partOf(built, 'root', 'packages');
  assert.equal(part.format, 'cyclonedx-1.6+json');
  assert.deepEqual(
    JSON.parse(parseUtf8(bytes)).components.map(({ purl }: { purl: string }) => purl),
    ['pkg:deb/testos/tool@1.0-1?arch=amd64&distro=testos-7'],
  );
  assert.deepEqual(built.manifest.ima, { policies: ['tcb'], template: 'ima-ng', hash: 'sha256' });
  assert.equal(built.packageCount, 1);
});

test('credentials and extensions beside the UKI are in the list of the initrd, where the stub puts them', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'site.cred'), 'a credential');
  writeFileSync(join(folder, 'tools.raw'), 'a system extension');
  const companions = ['credentials: [site.cred]', 'sysexts: [tools.raw]'];
  const built = await build(folder, await makeRecipeFolder(folder, companions));
  const { part, bytes } = partOf(built, 'initrd');
  const { files } = verifyFileList(part, bytes);
  const listed = new Map(files.map(({ path, sha256, sizeBytes }) => [path, { sha256, sizeBytes }]));
  for (const [path, text] of [
    ['/.extra/credentials/site.cred', 'a credential'],
    ['/.extra/sysext/tools.raw', 'a system extension'],
  ] as const) {
    const octets = new TextEncoder().encode(text);
    assert.deepEqual(listed.get(path), { sha256: toHex(digest('sha256', octets)), sizeBytes: octets.length }, path);
  }
});

test('a rule that takes the package manager away does not hide what it installed', async (t) => {
  const folder = tempDir(t);
  const text = await makeRecipeFolder(folder);
  const built = await build(folder, text.replace('rules: [', 'rules: [{ paths: var/lib/dpkg, remove: true }, '));
  assert.equal(built.packageCount, 1);
  assert.equal(built.manifest.ima, undefined);
  using disk = FileSource.open(built.diskPath);
  assert.deepEqual(sizeReport(disk).packages, []);
});

test('the same bytes after the folder has moved, another day, with other times on all inputs', async (t) => {
  const [first, second] = [tempDir(t), join(tempDir(t), 'moved', 'elsewhere')];
  const text = await makeRecipeFolder(first, ['ima: { policy: tcb }']);
  cpSync(first, second, { recursive: true });
  for (const name of readdirSync(second, { recursive: true, encoding: 'utf8' })) {
    utimesSync(join(second, name), 1_900_000_000, 1_900_000_000);
  }
  await build(first, text);
  await build(second, text);
  assert.deepEqual(digestsIn(join(second, 'out')), digestsIn(join(first, 'out')));
});

test('the root in LZ4 is smaller, sound, and the same each time', async (t) => {
  const folder = tempDir(t);
  const text = await makeRecipeFolder(folder);
  const plain = await build(folder, text.replace('version: 1.0.0', 'version: 1.0.0-plain'));
  const lz4 = text.replace('root: { folder: root }', 'root: { folder: root, compression: lz4 }');
  const packed = await build(folder, lz4);
  assert.ok(packed.diskBytes < plain.diskBytes, `${packed.diskBytes} ${plain.diskBytes}`);
  using disk = FileSource.open(packed.diskPath);
  const { roots, findings } = await verifyDisk(disk, {
    rootHashSigners: [(await testSigner()).certificate],
    name: 'edge',
  });
  assert.deepEqual([roots.length, findings.filter(({ severity }) => severity === 'error')], [1, []]);
  const again = await build(folder, lz4.replace('version: 1.0.0', 'version: 1.0.0-again'));
  assert.equal(toHex(again.rootHash), toHex(packed.rootHash));
});

test('over budget nothing is written, and what was there stays', async (t) => {
  const folder = tempDir(t);
  const text = await makeRecipeFolder(folder);
  for (const budget of ['disk: 1M', 'root: 4096', 'uki: 100', 'initrd: 10']) {
    const name = join(folder, 'out', 'edge_1.0.0.raw');
    await assert.rejects(build(folder, `${text}budgets: { ${budget} }\n`), { code: 'budget_exceeded' }, budget);
    assert.equal(existsSync(name), false);
  }
  assert.deepEqual(readdirSync(join(folder, 'out')), []);
  const built = await build(folder, `${text}budgets: { disk: 1G, root: 100M, uki: 10M, initrd: 1M, boot: 20s }\n`);
  assert.deepEqual(built.manifest.budgets, {
    bootMs: 20_000,
    diskBytes: 2 ** 30,
    initrdBytes: 2 ** 20,
    rootBytes: 100 * 2 ** 20,
    ukiBytes: 10 * 2 ** 20,
  });
  const before = statSync(built.diskPath, { bigint: true });
  const recipe = parseRecipe(`${text}budgets: { disk: 1M }\n`, 'recipe.yaml');
  const options = { recipeFolder: folder, outputFolder: join(folder, 'out'), force: true };
  await assert.rejects(buildImage(recipe, options), { code: 'budget_exceeded' });
  assert.equal(statSync(built.diskPath, { bigint: true }).mtimeNs, before.mtimeNs);
});

test('progress: phases in octets, none beyond its total', async (t) => {
  const folder = tempDir(t);
  const text = await makeRecipeFolder(folder);
  writeFileSync(join(folder, 'root', 'large'), Buffer.alloc(40 * 1024 * 1024, 'some text that is not all the same'));
  const seen = new Map<string, Progress>();
  await build(folder, text, {
    onProgress: (progress) => {
      assert.ok(progress.done <= progress.total, JSON.stringify(progress));
      assert.ok(progress.done >= (seen.get(progress.phase)?.done ?? 0), JSON.stringify(progress));
      seen.set(progress.phase, progress);
    },
  });
  for (const phase of ['writing files', 'hashing', 'digesting files']) {
    assert.ok((seen.get(phase)?.total ?? 0) > 40_000_000, `${phase}: ${JSON.stringify([...seen])}`);
  }
});

test('cancelled, nothing is left', async (t) => {
  const folder = tempDir(t);
  const text = await makeRecipeFolder(folder);
  const signal = AbortSignal.abort();
  const options = { recipeFolder: folder, outputFolder: join(folder, 'out'), signal };
  await assert.rejects(buildImage(parseRecipe(text, 'r.yaml'), options), { name: 'AbortError' });
  assert.deepEqual(readdirSync(join(folder, 'out')), []);
});
