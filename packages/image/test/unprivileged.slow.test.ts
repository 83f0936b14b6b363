// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TreeRule } from '@vouchsafe/disk';
import { buildImage, parseRecipe } from '@vouchsafe/image';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { makeRecipeFolder } from './recipe-folder.ts';
import { ownFolder, runProgramUnprivileged, runUnprivileged } from './unprivileged.ts';

const PROGRAM = fileURLToPath(new URL('build-disk.ts', import.meta.url));
const IS_ROOT = process.getuid?.() === 0;

interface Built {
  readonly disk: string;
  readonly entries: number;
  readonly rootHash: string;
}

/** A temporary folder that nobody can go into. */
function openTempDir(t: TestContext): string {
  const folder = tempDir(t);
  chmodSync(folder, 0o755);
  return folder;
}

function build(temp: string, input: string, name: string, rules: readonly TreeRule[] = []): Built {
  const disk = join(ownFolder(join(temp, name)), `${basename(name)}.raw`);
  const { status, stdout, stderr } = runProgramUnprivileged(PROGRAM, temp, [input, disk, JSON.stringify(rules)]);
  assert.equal(status, 0, stderr);
  const { uid, ...answer } = JSON.parse(stdout);
  assert.equal(uid, IS_ROOT ? 65534 : process.getuid?.());
  return { disk, ...answer };
}

const digestOf = (path: string): string => execFileSync('sha256sum', [path]).toString().slice(0, 64);

/** The root hash is what veritysetup says too, of every block. */
function verify({ disk, rootHash }: Built): void {
  const [root, hash] = execFileSync('sfdisk', ['--json', disk], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /"start": *([0-9]+)/.exec(line)?.[1])
    .filter((start) => start !== undefined)
    .map((start) => Number(start) * 512);
  assert.ok(root !== undefined && hash !== undefined);
  execFileSync('truncate', ['-s', String(hash), `${disk}.root`]);
  execFileSync(
    'dd',
    [`if=${disk}`, `of=${disk}.root`, 'bs=1M', 'iflag=skip_bytes,count_bytes', `skip=${root}`, `count=${hash - root}`],
    { stdio: 'ignore' },
  );
  execFileSync('veritysetup', ['verify', `${disk}.root`, disk, rootHash, `--hash-offset=${hash}`]);
}

const needed = needsTool('setpriv', 'perl', 'veritysetup', 'sfdisk', 'tar');

test('what the builds run in: no other user, no capability, no mount, no namespace', needed, (t) => {
  const plain = (...command: string[]) => runUnprivileged(command);
  assert.equal(plain('true').status, 0);
  const status = plain('cat', '/proc/self/status').stdout;
  if (IS_ROOT) assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(status, /^Seccomp:\s+2$/m);
  for (const command of [
    ['unshare', '--user', 'true'],
    ['unshare', '--mount', 'true'],
    ['mount', '-t', 'tmpfs', 'none', openTempDir(t)],
  ]) {
    assert.notEqual(plain(...command).status, 0, command.join(' '));
  }
});

test('a folder, its tar archives and an OCI image of it: one disk, made twice in two folders, by nobody', {
  ...needed,
  ...needsTool('umoci', 'skopeo'),
}, (t) => {
  const temp = openTempDir(t);
  const root = join(temp, 'root');
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'usr/bin/tool'), 'x'.repeat(10_000), { mode: 0o755 });
  writeFileSync(join(root, 'etc/os-release'), 'ID=testos\n');
  symlinkSync('usr/bin', join(root, 'bin'));
  execFileSync('chmod', ['-R', 'a+rX,go-w', root]);
  const archive = join(temp, 'root.tar');
  execFileSync('tar', ['--format=posix', '-cf', archive, '-C', root, '.']);
  execFileSync('xz', ['-k', archive]);
  const layout = join(temp, 'layout');
  execFileSync('umoci', ['init', '--layout', layout]);
  execFileSync('umoci', ['new', '--image', `${layout}:v1`]);
  execFileSync('umoci', ['insert', ...(IS_ROOT ? [] : ['--rootless']), '--image', `${layout}:v1`, root, '/'], {
    stdio: 'pipe',
  });
  execFileSync(
    'skopeo',
    ['--insecure-policy', '--tmpdir', temp, 'copy', `oci:${layout}:v1`, `oci-archive:${temp}/oci.tar:v1`],
    { stdio: 'pipe' },
  );
  execFileSync('chmod', ['-R', 'a+rX', layout, join(temp, 'oci.tar')]);
  // Who made the folder, and what umoci makes of the times and mode of the root itself, is no part of the image.
  const rules: TreeRule[] = [
    { match: { paths: ['**'] }, set: { uid: 0, gid: 0, mtimeSeconds: 1_600_000_000 } },
    { match: { paths: ['/'] }, set: { mode: 0o755 } },
  ];
  const [first, ...others] = [root, archive, `${archive}.xz`, layout, join(temp, 'oci.tar')].flatMap((input, i) => [
    build(temp, input, `a${i}`, rules),
    build(temp, input, `somewhere/else/b${i}`, rules),
  ]) as [Built, ...Built[]];
  verify(first);
  const expected = digestOf(first.disk);
  for (const { disk, rootHash } of others) {
    assert.equal(rootHash, first.rootHash, disk);
    assert.equal(digestOf(disk), expected, disk);
  }
  assert.equal(first.entries, 7);
});

test(
  'a recipe, built by us and by nobody, each from a copy of their own: the same bytes in every file',
  needed,
  async (t) => {
    const temp = openTempDir(t);
    const [ours, theirs] = [join(temp, 'ours'), ownFolder(join(temp, 'theirs'))];
    const text = await makeRecipeFolder(ours, ['ima: { policy: tcb }', 'credentials: [site.cred]']);
    writeFileSync(join(ours, 'site.cred'), 'a credential');
    cpSync(ours, theirs, { recursive: true });
    if (IS_ROOT) execFileSync('chown', ['-R', '65534:65534', theirs]);
    chmodSync(theirs, 0o700);
    await buildImage(parseRecipe(text, 'recipe.yaml'), { recipeFolder: ours, outputFolder: join(ours, 'out') });
    const program = fileURLToPath(new URL('build-recipe.ts', import.meta.url));
    const { status, stdout, stderr } = runProgramUnprivileged(program, temp, [theirs, join(theirs, 'out')]);
    assert.equal(status, 0, stderr);
    if (IS_ROOT) assert.notEqual(JSON.parse(stdout).uid, process.getuid?.());
    const names = readdirSync(join(ours, 'out')).sort();
    assert.ok(names.length >= 7, names.join(' '));
    assert.deepEqual(readdirSync(join(theirs, 'out')).sort(), names);
    for (const name of names)
      assert.equal(digestOf(join(theirs, 'out', name)), digestOf(join(ours, 'out', name)), name);
  },
);

test('a Debian root as mmdebstrap makes it, and as an OCI image: one disk, made twice, by nobody', {
  ...needed,
  ...needsTool('mmdebstrap', 'umoci'),
}, (t) => {
  const temp = openTempDir(t);
  const archive = join(temp, 'debian.tar');
  const made = spawnSync('mmdebstrap', ['--variant=minbase', '--quiet', 'bookworm', archive], { encoding: 'utf8' });
  if (made.status !== 0) {
    t.skip(`missing tool: an archive of Debian packages for mmdebstrap (${made.stderr.trim().split('\n').at(-1)})`);
    return;
  }
  const layout = join(temp, 'layout');
  ociOf(temp, archive, layout);
  if (IS_ROOT) chownSync(archive, 0, 0);
  chmodSync(archive, 0o644);
  const builds = [
    build(temp, archive, 'a'),
    build(temp, archive, 'b/c'),
    build(temp, layout, 'd'),
    build(temp, layout, 'e/f'),
  ] as [Built, ...Built[]];
  const [first] = builds;
  verify(first);
  assert.ok(first.entries > 5000, `${first.entries}`);
  const expected = digestOf(first.disk);
  for (const { disk } of builds) assert.equal(digestOf(disk), expected, disk);
});

/** One layer, compressed by gzip, with the documents of the specification around it. */
function ociOf(temp: string, archive: string, layout: string): void {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const put = (path: string): { digest: string; size: number } => {
    const hex = digestOf(path);
    const blob = join(layout, 'blobs/sha256', hex);
    execFileSync('cp', [path, blob]);
    return { digest: `sha256:${hex}`, size: Number(execFileSync('stat', ['-c', '%s', blob]).toString()) };
  };
  const putJson = (value: unknown) => {
    writeFileSync(join(temp, 'json'), JSON.stringify(value));
    return put(join(temp, 'json'));
  };
  execFileSync('gzip', ['-1', '-n', '-k', archive]);
  const oci = 'application/vnd.oci.image';
  const diffIds = [`sha256:${digestOf(archive)}`];
  const config = putJson({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIds } });
  const layers = [{ mediaType: `${oci}.layer.v1.tar+gzip`, ...put(`${archive}.gz`) }];
  const manifest = putJson({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, ...config },
    layers,
  });
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: `${oci}.manifest.v1+json`, ...manifest }] }),
  );
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  execFileSync('chmod', ['-R', 'a+rX', layout]);
  // umoci agrees that this is an image.
  execFileSync('umoci', ['ls', '--layout', layout]);
}
