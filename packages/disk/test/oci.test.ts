// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { isVouchsafeError, toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { applyOciLayer, type DiskErrorCode, GrowingTree, type OciImageRequest, selectOciImage } from '@vouchsafe/disk';
import { openTree } from '@vouchsafe/disk/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { layoutOf, MadeLayout, putImage, TYPES } from './made-oci.ts';
import { type MadeMember, makeTar } from './made-tar.ts';
import { withCode } from './support.ts';
import { shown } from './tree-support.ts';

const AMD64: OciImageRequest = { platform: { os: 'linux', architecture: 'amd64' } };

const dir = (name: string): MadeMember => ({ name, type: '5' });
const file = (name: string, content = name): MadeMember => ({ name, content });

/** The paths that layers make, with the contents of files. */
function layered(...layers: readonly (readonly MadeMember[])[]): Record<string, string> {
  const tree = new GrowingTree();
  for (const layer of layers) applyOciLayer(tree, memorySource(makeTar(layer)));
  return brief(shown(tree.entries()));
}

function brief(tree: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => {
      if (typeof entry === 'string') return [path, entry];
      const { kind, content, target } = entry as Record<string, string>;
      return [
        path,
        kind === 'file'
          ? Buffer.from(content ?? '', 'hex').toString()
          : kind === 'symlink'
            ? `-> ${target}`
            : (kind ?? ''),
      ];
    }),
  );
}

test('whiteouts: of a file, of a directory with all in it, of nothing', () => {
  const lower = [dir('d'), file('d/a'), file('d/b'), dir('e'), file('e/f')];
  assert.deepEqual(
    layered(lower, [file('d/.wh.a', ''), file('.wh.e', ''), file('.wh.nothing', ''), file('x/.wh.y', '')]),
    {
      '': 'directory',
      d: 'directory',
      'd/b': 'd/b',
    },
  );
});

test('an opaque directory shows its own layer alone, wherever the mark stands', () => {
  const lower = [dir('d'), file('d/a'), dir('d/e'), file('d/e/f')];
  const expected = { '': 'directory', d: 'directory', 'd/new': 'd/new' };
  assert.deepEqual(layered(lower, [dir('d'), file('d/.wh..wh..opq', ''), file('d/new')]), expected);
  assert.deepEqual(layered(lower, [dir('d'), file('d/new'), file('d/.wh..wh..opq', '')]), expected);
  assert.deepEqual(layered(lower, [file('.wh..wh..opq', '')]), { '': 'directory' });
});

test('whiteouts are of lower layers only, and come first', () => {
  assert.deepEqual(layered([file('a', 'old')], [file('a', 'new'), file('.wh.a', '')]), { '': 'directory', a: 'new' });
  const replaced = layered(
    [{ name: 'lib', type: '2', link: 'usr/lib' }],
    [dir('lib'), file('lib/x'), file('.wh.lib', '')],
  );
  assert.deepEqual(replaced, { '': 'directory', lib: 'directory', 'lib/x': 'lib/x' });
});

test("AUFS' own notes are passed over", () => {
  const notes = [file('.wh..wh.aufs', ''), dir('.wh..wh.plnk'), file('.wh..wh.plnk/123.4'), file('a')];
  assert.deepEqual(layered(notes), { '': 'directory', a: 'a' });
});

test('a layer replaces files by directories, and the other way round; hard links go to lower layers', () => {
  const lower = [file('a', 'file'), dir('d'), file('d/x')];
  const upper = [dir('a'), file('a/x'), file('d', 'now a file'), { name: 'hard', type: '1', link: 'd' }];
  assert.deepEqual(layered(lower, upper), {
    '': 'directory',
    a: 'directory',
    'a/x': 'a/x',
    d: 'now a file',
    hard: '= d',
  });
});

test('a layer without its end, which its digest says is whole', () => {
  const tree = new GrowingTree();
  applyOciLayer(tree, memorySource(makeTar([file('a')], false)));
  assert.deepEqual(brief(shown(tree.entries())), { '': 'directory', a: 'a' });
  applyOciLayer(tree, memorySource(new Uint8Array(0)));
  assert.throws(
    () => applyOciLayer(tree, memorySource(makeTar([file('a')], false).subarray(0, 512))),
    withCode('tar_malformed'),
  );
});

for (const [what, layers, code] of [
  ['a whiteout of no name', [[file('.wh.', '')]], 'oci_malformed'],
  ['a whiteout that climbs out', [[file('.wh...', '')]], 'oci_malformed'],
  ['a whiteout of the folder itself', [[file('d/.wh..', '')]], 'oci_malformed'],
  [
    'a file through a link of a lower layer',
    [[{ name: 'etc', type: '2', link: '/host' }], [file('etc/passwd')]],
    'link_followed',
  ],
  [
    'a whiteout through a link of a lower layer',
    [[{ name: 'etc', type: '2', link: '/host' }], [file('etc/.wh.passwd', '')]],
    'link_followed',
  ],
  [
    'a hard link through a link of a lower layer',
    [[{ name: 'etc', type: '2', link: '/host' }], [{ name: 'p', type: '1', link: 'etc/passwd' }]],
    'link_followed',
  ],
  ['a path that climbs out', [[file('../../etc/passwd')]], 'path_escape'],
  ['a file twice in one layer', [[file('a'), file('a')]], 'path_duplicate'],
  ['a file below a file of a lower layer', [[file('a')], [file('a/b')]], 'tree_invalid'],
] as const satisfies readonly (readonly [string, readonly (readonly MadeMember[])[], DiskErrorCode])[]) {
  test(`${what}: ${code}`, () => {
    assert.throws(() => layered(...layers), withCode(code));
  });
}

const LAYER = makeTar([file('f')]);
const annotations = (name: string) => ({ annotations: { 'org.opencontainers.image.ref.name': name } });

test('an image by platform and by name, through indexes inside indexes', () => {
  const layout = new MadeLayout();
  const amd = putImage(layout, { layers: [LAYER] });
  const arm = putImage(layout, { layers: [LAYER], architecture: 'arm64' });
  const nested = layout.putJson(TYPES.index, {
    schemaVersion: 2,
    manifests: [
      { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { ...layout.putJson(TYPES.manifest, { schemaVersion: 2 }), platform: { os: 'unknown', architecture: 'unknown' } },
      { mediaType: 'application/vnd.in-toto+json', digest: `sha256:${'0'.repeat(64)}`, size: 1 },
    ],
  });
  layout.index({
    schemaVersion: 2,
    manifests: [
      { ...nested, ...annotations('multi') },
      { ...arm, ...annotations('one') },
    ],
  });
  const select = (request: OciImageRequest) => selectOciImage(layout.blobs(), request).manifestDigest;
  assert.equal(select(AMD64), amd.digest);
  assert.equal(select({ platform: { os: 'linux', architecture: 'arm64' } }), arm.digest);
  assert.equal(
    select({ platform: { os: 'linux', architecture: 'arm64', variant: 'v8' }, reference: 'one' }),
    arm.digest,
  );
  for (const request of [
    { ...AMD64, reference: 'one' },
    { ...AMD64, reference: 'none' },
    { platform: { os: 'linux', architecture: 'riscv64' } },
    { platform: { os: 'windows', architecture: 'amd64' } },
  ]) {
    assert.throws(() => select(request), withCode('oci_ambiguous'), JSON.stringify(request));
  }
});

test('two images that fit are one too many; the same one twice is not', () => {
  const layout = new MadeLayout();
  const [a, b] = [
    putImage(layout, { layers: [LAYER] }),
    putImage(layout, { layers: [LAYER], config: { created: 'x' } }),
  ];
  layout.index({
    schemaVersion: 2,
    manifests: [
      { ...a, ...annotations('a') },
      { ...b, ...annotations('b') },
    ],
  });
  assert.throws(() => selectOciImage(layout.blobs(), AMD64), withCode('oci_ambiguous'));
  assert.equal(selectOciImage(layout.blobs(), { ...AMD64, reference: 'b' }).manifestDigest, b.digest);
  layout.index({ schemaVersion: 2, manifests: [a, a] });
  assert.equal(selectOciImage(layout.blobs(), AMD64).manifestDigest, a.digest);
});

test('layouts that are none, or lie', () => {
  const sound = layoutOf({ layers: [LAYER] });
  const [manifest] = JSON.parse(Buffer.from(sound.files.get('index.json') ?? []).toString()).manifests;
  const select = (layout: MadeLayout) => selectOciImage(layout.blobs(), AMD64);
  assert.equal(select(sound).layers.length, 1);
  const changed = (path: string, bytes: Uint8Array | undefined): MadeLayout => {
    const layout = layoutOf({ layers: [LAYER] });
    if (bytes === undefined) layout.files.delete(path);
    else layout.files.set(path, bytes);
    return layout;
  };
  const withIndex = (value: unknown) => layoutOf({ layers: [LAYER] }).index(value);
  const withManifest = (more: Record<string, unknown>) => layoutOf({ layers: [LAYER], manifest: more });
  const blob = `blobs/sha256/${manifest.digest.slice(7)}`;
  const original = sound.files.get(blob) as Uint8Array;
  const flipped = original.slice();
  flipped[10] = (flipped[10] ?? 0) ^ 1;
  const cases: [string, MadeLayout, DiskErrorCode][] = [
    ['no marker', changed('oci-layout', undefined), 'oci_missing'],
    ['no index', changed('index.json', undefined), 'oci_missing'],
    ['version 2', changed('oci-layout', utf8('{"imageLayoutVersion":"2.0.0"}')), 'oci_unsupported'],
    ['a marker that is no JSON', changed('oci-layout', utf8('1.0')), 'oci_malformed'],
    ['a marker that is not UTF-8', changed('oci-layout', Uint8Array.of(0xff)), 'oci_malformed'],
    ['an index of 4 MiB and more', changed('index.json', new Uint8Array(4 * 2 ** 20 + 1)), 'limit'],
    ['an index that is a list', withIndex([]), 'oci_malformed'],
    ['no schema version', withIndex({ manifests: [] }), 'oci_malformed'],
    ['schema version 1', withIndex({ schemaVersion: 1, manifests: [] }), 'oci_malformed'],
    ['no manifests', withIndex({ schemaVersion: 2 }), 'oci_malformed'],
    ['an empty index', withIndex({ schemaVersion: 2, manifests: [] }), 'oci_ambiguous'],
    [
      'a digest that climbs out',
      withIndex({ schemaVersion: 2, manifests: [{ ...manifest, digest: 'sha256:../../../etc/passwd' }] }),
      'oci_malformed',
    ],
    [
      'a digest in upper case',
      withIndex({
        schemaVersion: 2,
        manifests: [{ ...manifest, digest: manifest.digest.toUpperCase().replace('SHA256', 'sha256') }],
      }),
      'oci_malformed',
    ],
    [
      'a digest of md5',
      withIndex({ schemaVersion: 2, manifests: [{ ...manifest, digest: `md5:${'0'.repeat(32)}` }] }),
      'oci_unsupported',
    ],
    [
      'a digest too short',
      withIndex({ schemaVersion: 2, manifests: [{ ...manifest, digest: 'sha256:00' }] }),
      'oci_malformed',
    ],
    ['a size below zero', withIndex({ schemaVersion: 2, manifests: [{ ...manifest, size: -1 }] }), 'oci_malformed'],
    ['a size that is wrong', withIndex({ schemaVersion: 2, manifests: [{ ...manifest, size: 7 }] }), 'digest_mismatch'],
    [
      'a size of 4 MiB and more',
      withIndex({ schemaVersion: 2, manifests: [{ ...manifest, size: 4 * 2 ** 20 + 1 }] }),
      'limit',
    ],
    ['a manifest that is not there', changed(blob, undefined), 'not_found'],
    ['a manifest that was changed', changed(blob, flipped), 'digest_mismatch'],
    ['a manifest that says it is an index', withManifest({ mediaType: TYPES.index }), 'oci_malformed'],
    ['a manifest that is an index too', withManifest({ manifests: [] }), 'oci_malformed'],
    ['a layer too few', withManifest({ layers: [] }), 'oci_malformed'],
    [
      'layers of another type',
      withManifest({
        layers: [
          {
            mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
            digest: `sha256:${'0'.repeat(64)}`,
            size: 1,
          },
        ],
      }),
      'oci_unsupported',
    ],
    [
      'encrypted layers',
      withManifest({ layers: [{ mediaType: `${TYPES.gzip}+encrypted`, digest: `sha256:${'0'.repeat(64)}`, size: 1 }] }),
      'oci_unsupported',
    ],
    [
      'a layer type of Object.prototype',
      withManifest({ layers: [{ mediaType: 'constructor', digest: `sha256:${'0'.repeat(64)}`, size: 1 }] }),
      'oci_unsupported',
    ],
    ['1001 layers', withManifest({ layers: Array(1001).fill(manifest) }), 'limit'],
    [
      'a configuration that is none',
      withManifest({ config: { ...manifest, mediaType: 'application/vnd.oci.empty.v1+json' } }),
      'oci_ambiguous',
    ],
    [
      'no layers in the configuration',
      layoutOf({ layers: [LAYER], config: { rootfs: { type: 'tar', diff_ids: [] } } }),
      'oci_malformed',
    ],
    [
      'another platform than the index says',
      withIndex({
        schemaVersion: 2,
        manifests: [{ ...putInto(layoutOf({ layers: [LAYER] })), platform: { os: 'linux', architecture: 'amd64' } }],
      }),
      'not_found',
    ],
  ];
  for (const [what, layout, code] of cases) assert.throws(() => select(layout), withCode(code), what);
  const lying = new MadeLayout();
  const arm = putImage(lying, { layers: [LAYER], architecture: 'arm64' });
  lying.index({ schemaVersion: 2, manifests: [{ ...arm, platform: { os: 'linux', architecture: 'amd64' } }] });
  assert.throws(() => select(lying), withCode('oci_malformed'));
});

function putInto(layout: MadeLayout) {
  return putImage(layout, { layers: [LAYER], architecture: 'arm64' });
}

test('an index that holds itself cannot be made, but six inside each other are too many', () => {
  const layout = new MadeLayout();
  let inner = putImage(layout, { layers: [LAYER] });
  for (let depth = 1; depth <= 5; depth++) {
    layout.index({ schemaVersion: 2, manifests: [inner] });
    if (depth <= 4) assert.equal(selectOciImage(layout.blobs(), AMD64).layers.length, 1, `${depth}`);
    else assert.throws(() => selectOciImage(layout.blobs(), AMD64), withCode('limit'));
    inner = layout.putJson(TYPES.index, { schemaVersion: 2, manifests: [inner] });
  }
});

const LAYERS = [
  makeTar([
    dir('usr/'),
    dir('usr/bin/'),
    file('usr/bin/tool', 'v1'),
    { name: 'bin', type: '2', link: 'usr/bin' },
    file('gone'),
  ]),
  makeTar([
    file('usr/bin/tool', 'v2'),
    file('.wh.gone', ''),
    { name: 'usr/bin/alias', type: '1', link: 'usr/bin/tool' },
  ]),
];
const EXPECTED = {
  '': 'directory',
  bin: '-> usr/bin',
  usr: 'directory',
  'usr/bin': 'directory',
  'usr/bin/alias': 'v2',
  'usr/bin/tool': '= usr/bin/alias',
};

async function read(path: string, options = {}): Promise<Record<string, string>> {
  using tree = await openTree(path, options);
  return brief(shown(tree.entries));
}

test(
  'a layout as a folder, with layers in gzip, in zstd and plain; and as a tar archive, plain and compressed',
  needsTool('tar'),
  async (t) => {
    const temp = tempDir(t);
    const folder = layoutOf({ layers: LAYERS }).write(join(temp, 'gzip'));
    assert.deepEqual(await read(folder), EXPECTED);
    const layout = new MadeLayout();
    const [first, second] = LAYERS as [Uint8Array, Uint8Array];
    const manifest = putImage(layout, {
      layers: LAYERS,
      manifest: {
        layers: [layout.put(TYPES.tar, first), layout.put(TYPES.zstd, new Uint8Array(zstdCompressSync(second)))],
      },
    });
    const other = layout.index({ schemaVersion: 2, manifests: [manifest] }).write(join(temp, 'other'));
    assert.deepEqual(await read(other), EXPECTED);
    const archive = join(temp, 'a.tar');
    execFileSync('tar', ['-cf', archive, '-C', folder, '.']);
    assert.deepEqual(await read(archive), EXPECTED);
    execFileSync('gzip', [archive]);
    using tree = await openTree(`${archive}.gz`);
    assert.deepEqual(brief(shown(tree.entries)), EXPECTED);
    assert.match(tree.imageDigest ?? '', /^sha256:[0-9a-f]{64}$/);
  },
);

test('layers that are not those of the manifest, or of the configuration', async (t) => {
  const temp = tempDir(t);
  let n = 0;
  const rejects = async (layout: MadeLayout, code: DiskErrorCode, what: string) => {
    await assert.rejects(read(layout.write(join(temp, String(n++)))), withCode(code), what);
  };
  const [layer] = LAYERS as [Uint8Array];
  const changed = layoutOf({ layers: [layer] });
  const [path, bytes] = [...changed.files].find(([, found]) => found[0] === 0x1f) as [string, Uint8Array];
  const flipped = bytes.slice();
  flipped[bytes.length - 20] = (flipped[bytes.length - 20] ?? 0) ^ 1;
  changed.files.set(path, flipped);
  await rejects(changed, 'digest_mismatch', 'a changed layer');
  const zeros = `sha256:${'0'.repeat(64)}`;
  await rejects(
    layoutOf({ layers: [layer], config: { rootfs: { type: 'layers', diff_ids: [zeros] } } }),
    'digest_mismatch',
    'another content',
  );
  const plain = new MadeLayout();
  const type = (mediaType: string, content: Uint8Array) =>
    plain.index({
      schemaVersion: 2,
      manifests: [putImage(plain, { layers: [layer], manifest: { layers: [plain.put(mediaType, content)] } })],
    });
  await rejects(type(TYPES.gzip, layer), 'oci_malformed', 'a layer that is not compressed');
  await rejects(type(TYPES.zstd, bytes), 'oci_malformed', 'a layer in gzip');
  await rejects(type(TYPES.tar, bytes), 'digest_mismatch', 'a layer that is compressed');
  assert.equal(toHex(digest('sha256', layer)).length, 64);
});

test('bombs: a layer beyond what may come out, and all of them together', async (t) => {
  const layer = makeTar([{ name: 'zeros', content: new Uint8Array(3_000_000) }]);
  const folder = layoutOf({ layers: [layer, layer, layer] }).write(join(tempDir(t), 'bomb'));
  await assert.rejects(read(folder, { decompression: { maxBytes: 2_000_000 } }), withCode('limit'));
  await assert.rejects(read(folder, { decompression: { maxBytes: 8_000_000 } }), withCode('limit'));
  await assert.rejects(read(folder, { maxContentBytes: 1_000_000 }), withCode('limit'));
  assert.equal((await read(folder, { decompression: { maxBytes: 10_000_000 } }))['zeros']?.length, 3_000_000);
});

test('what skopeo copies, as a folder and as an archive', needsTool('skopeo'), async (t) => {
  const temp = tempDir(t);
  const folder = layoutOf({ layers: LAYERS }).write(join(temp, 'made'));
  const copy = (...args: string[]) =>
    execFileSync('skopeo', ['--insecure-policy', '--tmpdir', temp, 'copy', ...args], { stdio: 'pipe' });
  copy(`oci:${folder}:latest`, `oci:${join(temp, 'copy')}:v1`);
  assert.deepEqual(await read(join(temp, 'copy')), EXPECTED);
  copy('--dest-compress-format', 'zstd', `oci:${folder}:latest`, `oci:${join(temp, 'zstd')}:v1`);
  assert.deepEqual(await read(join(temp, 'zstd'), { reference: 'v1' }), EXPECTED);
  copy(`oci:${folder}:latest`, `oci-archive:${join(temp, 'copy.tar')}:v1`);
  assert.deepEqual(await read(join(temp, 'copy.tar')), EXPECTED);
  // Docker's own archive is another format, and said to be.
  copy(`oci:${folder}:latest`, `docker-archive:${join(temp, 'docker.tar')}:name:v1`);
  await assert.rejects(openTree(join(temp, 'docker.tar'), {}, 'oci'), withCode('oci_missing'));
});

test('umoci unpacks the same tree, and packs what is read the same', needsTool('umoci', 'tar'), async (t) => {
  const temp = tempDir(t);
  const layers = [
    ...LAYERS,
    makeTar([dir('opaque'), file('opaque/a'), dir('opaque/d'), file('opaque/d/b')]),
    makeTar([
      dir('opaque'),
      file('opaque/.wh..wh..opq', ''),
      file('opaque/c'),
      dir('opaque/d'),
      file('usr/.wh.bin', ''),
    ]),
  ];
  const folder = layoutOf({ layers }).write(join(temp, 'made'));
  execFileSync('umoci', ['raw', 'unpack', '--rootless', '--image', `${folder}:latest`, join(temp, 'unpacked')], {
    stdio: 'pipe',
  });
  const ours = await read(folder);
  assert.deepEqual(await read(join(temp, 'unpacked'), { xattrs: 'ignore' }), ours);
  assert.deepEqual(Object.keys(ours), ['', 'bin', 'opaque', 'opaque/c', 'opaque/d', 'usr']);

  const own = join(temp, 'own');
  execFileSync('umoci', ['init', '--layout', own]);
  execFileSync('umoci', ['new', '--image', `${own}:a`]);
  mkdirSync(join(temp, 'in/sub'), { recursive: true });
  writeFileSync(join(temp, 'in/sub/f'), 'content');
  execFileSync('umoci', ['insert', '--rootless', '--image', `${own}:a`, join(temp, 'in'), '/in'], { stdio: 'pipe' });
  const arch = execFileSync('umoci', ['stat', '--json', '--image', `${own}:a`]).toString();
  assert.ok(arch.length > 0);
  const inserted = await read(own, { reference: 'a' });
  assert.equal(inserted['in/sub/f'], 'content');
});

test('a layout without access to anything else: nothing is written beside it', async (t) => {
  const temp = tempDir(t);
  const folder = layoutOf({ layers: LAYERS }).write(join(temp, 'layout'));
  const spoolFolder = join(temp, 'spool');
  mkdirSync(spoolFolder);
  {
    using tree = await openTree(folder, { spoolFolder });
    assert.deepEqual(readdirSync(spoolFolder), []);
    assert.deepEqual(brief(shown(tree.entries)), EXPECTED);
  }
  await assert.rejects(openTree(folder, { spoolFolder: join(temp, 'none') }), (error) => isVouchsafeError(error));
  copyFileSync(join(folder, 'oci-layout'), join(temp, 'file'));
  await assert.rejects(openTree(join(temp, 'file')), withCode('tar_malformed'));
});
