// SPDX-License-Identifier: Apache-2.0
// What the product is made of, as npm itself has it; and that nothing comes in unseen.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readAdvisories } from '../supply-chain/advisories.ts';
import { billOfMaterials } from '../supply-chain/bill-of-materials.ts';
import { checkLockFile } from '../supply-chain/check-lock-file.ts';
import { type LockedPackage, readLockFile, resolveDependency } from '../supply-chain/lock-file.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const locked = readLockFile(ROOT);

interface Bill {
  readonly specVersion: string;
  readonly serialNumber?: string;
  readonly metadata: { readonly timestamp?: string; readonly component: { readonly name: string } };
  readonly components: readonly { readonly purl: string; readonly hashes?: readonly { readonly content: string }[] }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

test('the bill of materials names what npm lists, with its digests, and depends as npm says', () => {
  const bill = JSON.parse(billOfMaterials(locked)) as Bill;
  const npm = (...args: string[]): string => {
    const { stdout } = spawnSync('npm', [...args, '--omit=dev', '--package-lock-only'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    return stdout;
  };
  const nameOf = (purl: string): string => decodeURIComponent(purl.replace('pkg:npm/', ''));
  const listed = npm('ls', '--all', '--parseable', '--long')
    .split('\n')
    .map((line) => line.split(':')[1] ?? '')
    .filter((name) => name !== '' && !name.startsWith('vouchsafe@'));
  assert.ok(listed.length > 80, `npm lists ${listed.length}`);
  assert.deepEqual(bill.components.map(({ purl }) => nameOf(purl)).sort(), [...new Set(listed)].sort());
  // npm's own leaves out what packages of the workshop need too, but has digests and edges of the rest.
  const theirs = JSON.parse(npm('sbom', '--sbom-format=cyclonedx')) as Bill;
  const hashesOf = ({ components }: Bill) => components.find(({ purl }) => purl.startsWith('pkg:npm/fastify@'))?.hashes;
  assert.deepEqual(hashesOf(bill), hashesOf(theirs));
  const edgesOf = ({ dependencies }: Bill): string[] =>
    (dependencies.find(({ ref }) => nameOf(ref).startsWith('fastify@'))?.dependsOn ?? []).map(nameOf).sort();
  assert.ok(edgesOf(bill).length > 5);
  assert.deepEqual(edgesOf(bill), edgesOf(theirs));
});

test('the bill of materials is the same each time, whatever the order of the lock file', () => {
  const text = billOfMaterials(locked);
  const [root, ...others] = locked;
  assert.ok(root !== undefined);
  assert.equal(billOfMaterials([root, ...others.toReversed()]), text);
  const { serialNumber, metadata, specVersion } = JSON.parse(text) as Bill;
  assert.deepEqual([serialNumber, metadata.timestamp, specVersion], [undefined, undefined, '1.6']);
  assert.equal(metadata.component.name, 'vouchsafe');
});

const made = (path: string, change: Partial<LockedPackage> = {}): LockedPackage => ({
  path,
  name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  version: '1.0.0',
  isMember: false,
  isDev: false,
  isOptional: false,
  hasInstallScript: false,
  license: 'MIT',
  integrity: 'sha512-AA==',
  resolved: undefined,
  dependsOn: [],
  ...change,
});

test('a package without a digest, from elsewhere, or with a script that nobody has looked at is found', () => {
  assert.deepEqual(checkLockFile(locked), []);
  const found = (change: Partial<LockedPackage>) => checkLockFile([...locked, made('node_modules/new', change)]).length;
  assert.equal(found({}), 0);
  assert.equal(found({ integrity: undefined }), 1);
  assert.equal(found({ resolved: 'git+ssh://git@example.org/new.git' }), 1);
  assert.equal(found({ hasInstallScript: true }), 1);
  assert.equal(checkLockFile(locked.filter(({ name }) => name !== 'esbuild')).length, 1, 'listed, and gone');
});

test('a name means the nearest package, as Node.js looks for modules', () => {
  const [a, inner, outer] = [made('node_modules/a'), made('node_modules/a/node_modules/b'), made('node_modules/b')];
  const all = [a, inner, outer];
  assert.equal(resolveDependency(all, a, 'b'), inner);
  assert.equal(resolveDependency(all, outer, 'a'), a);
  assert.equal(resolveDependency(all, inner, 'b'), inner);
  assert.equal(resolveDependency(all, a, 'c'), undefined);
});

/** A registry that says what is given of the packages it is asked about. */
async function registry(t: { after(fn: () => void): void }, status: number, answer: object) {
  const asked: Record<string, string[]>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(404).end('{}');
      const body = Buffer.concat(chunks);
      asked.push(JSON.parse((request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const url = `--registry=http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { asked, ask: () => readAdvisories(ROOT, [url, '--fetch-retries=0']) };
}

test('advisories: a registry that knows of none, one that knows of some, and one that is not to be asked', async (t) => {
  const clean = await registry(t, 200, {});
  const none = await clean.ask();
  assert.deepEqual([none.isKnown, none.isKnown && none.advisories], [true, []]);
  assert.ok(
    clean.asked.some((body) => Object.hasOwn(body, 'fastify')),
    'all that is locked was asked about',
  );
  const advisory = {
    id: 1,
    url: 'https://example.org/1',
    title: 'it leaks',
    severity: 'high',
    vulnerable_versions: '<99',
  };
  const bad = await (await registry(t, 200, { fastify: [advisory] })).ask();
  assert.deepEqual(bad.isKnown && bad.advisories.map(({ name, severity }) => `${name} ${severity}`), ['fastify high']);
  const silent = await (await registry(t, 405, {})).ask();
  assert.equal(silent.isKnown, false);
  assert.match(silent.isKnown ? '' : silent.reason, /405/);
});
