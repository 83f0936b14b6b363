// SPDX-License-Identifier: Apache-2.0
// Internal: the pool of threads is given jobs of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesEqual } from '@vouchsafe/base';
import { BytesError } from '@vouchsafe/bytes';
import { FileSource } from '@vouchsafe/bytes/node';
import { needsMountNamespace, needsTool, tempDir } from '@vouchsafe/testing';
import { treeLayout } from '@vouchsafe/verity';
import { type FormatFilesRequest, formatFiles, repairFiles, verifyFiles } from '@vouchsafe/verity/node';
import { passWithThreads } from '../src/node/leaf-pool.ts';
import { stream } from './fec-support.ts';

const TREE = { hashOffset: 0, hasSuperblock: true } as const;

/** A folder with data in it, and a request for its tree beside it. */
function dataIn(t: Parameters<typeof tempDir>[0], bytes: Uint8Array) {
  const dir = tempDir(t);
  const path = (name: string): string => join(dir, name);
  writeFileSync(path('data'), bytes);
  const request: FormatFilesRequest = {
    dataPath: path('data'),
    hashPath: path('hash'),
    hashType: 1,
    algorithm: 'sha256',
    dataBlockSize: 512,
    hashBlockSize: 512,
    hashOffset: 0,
    hasSuperblock: true,
  };
  return { dir, path, request };
}

const read = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

test('the same data gives the same tree, without any option', async (t) => {
  const { path, request } = dataIn(t, stream(1, 51_200));
  const made = await formatFiles(request);
  const again = await formatFiles({ ...request, hashPath: path('again') });
  assert.deepEqual(made.rootHash, again.rootHash);
  assert.ok(bytesEqual(read(path('hash')), read(path('again'))));
  assert.equal(made.hashEnd, read(path('hash')).length);
});

test('threads give the same as one thread, when they write and when they compare', async (t) => {
  const { path, request } = dataIn(t, stream(2, 70 * 1024 * 1024));
  // One task is 32 MiB: three, and the last one short.
  const big = { ...request, dataBlockSize: 1024, hashBlockSize: 1024 };
  const one = await formatFiles({ ...big, threads: 1 });
  const four = await formatFiles({ ...big, hashPath: path('four'), threads: 4 });
  assert.deepEqual(four.rootHash, one.rootHash);
  assert.ok(bytesEqual(read(path('hash')), read(path('four'))));
  const fd = openSync(path('data'), 'r+');
  for (const block of [0, 31_999, 32_768, 65_536, 71_679]) writeSync(fd, 'X', block * 1024 + 3);
  closeSync(fd);
  const tree = openSync(path('hash'), 'r+');
  writeSync(tree, 'X', 1024 * 100);
  closeSync(tree);
  const verify = (threads: number) =>
    verifyFiles({ dataPath: path('data'), hashPath: path('hash'), tree: TREE, rootHash: one.rootHash, threads });
  const [a, b] = [await verify(1), await verify(3)];
  assert.deepEqual(a, b);
  assert.ok(a.corruptData.count >= 4 && !a.isGood);
});

test('a cancelled run, whenever it is cancelled, leaves nothing', async (t) => {
  const { dir, request } = dataIn(t, stream(3, 40 * 1024 * 1024));
  for (const threads of [1, 2]) {
    for (const calls of [0, 1]) {
      const abort = new AbortController();
      let seen = 0;
      if (calls === 0) abort.abort();
      const work = { signal: abort.signal, onProgress: () => (++seen >= calls ? abort.abort() : undefined) };
      await assert.rejects(formatFiles({ ...request, threads }, work), { name: 'AbortError' });
      assert.deepEqual(readdirSync(dir), ['data']);
    }
  }
});

test('what a thread is refused comes as our error, and no thread stays', async (t) => {
  const { dir, path, request } = dataIn(t, stream(4, 40 * 1024 * 1024));
  truncateSync(path('data'), 40 * 1024 * 1024);
  const shrink = () => truncateSync(path('data'), 1024 * 1024);
  for (const threads of [1, 2]) {
    writeFileSync(path('data'), stream(4, 40 * 1024 * 1024));
    let seen = 0;
    const onProgress = () => (seen++ === 0 ? shrink() : undefined);
    // The whole is read in two tasks, which may both be done before the first report.
    await formatFiles({ ...request, threads }, { onProgress }).then(
      () => assert.equal(threads, 2),
      (error) => assert.ok(error instanceof BytesError && error.code === 'short_read'),
    );
    assert.ok(readdirSync(dir).every((name) => !name.includes('partial')));
    if (existsSync(path('hash'))) execFileSync('rm', [path('hash')]);
  }
  const parameters = { ...request, dataBlocks: 81_920, salt: new Uint8Array(0) };
  const layout = treeLayout(parameters, { offset: 0, hasSuperblock: true });
  using data = FileSource.open(path('data'));
  const closed = { fd: 10_000, label: 'gone', size: data.size, extents: [{ start: 0, end: 2 ** 40 }] };
  const job = {
    mode: 'write',
    data: { ...closed, size: 2 ** 40 },
    hash: closed,
    parameters,
    place: { offset: 0, hasSuperblock: true },
  } as const;
  await assert.rejects(
    passWithThreads(2, job, layout, (_, __, block) => block, undefined, 'hashing', {}),
    { code: 'io' },
  );
});

test('existing outputs are kept; force replaces them when the run is good', async (t) => {
  const { dir, path, request } = dataIn(t, stream(5, 51_200));
  writeFileSync(path('hash'), 'old');
  await assert.rejects(formatFiles(request), { code: 'exists' });
  const abort = new AbortController();
  abort.abort();
  await assert.rejects(formatFiles({ ...request, force: true }, { signal: abort.signal }), { name: 'AbortError' });
  assert.equal(readFileSync(path('hash'), 'utf8'), 'old');
  writeFileSync(path('fec'), 'old parity');
  const fec = { path: path('fec'), offset: 0, roots: 2 };
  await assert.rejects(formatFiles({ ...request, hashPath: path('new'), fec }), { code: 'exists' });
  assert.deepEqual(readdirSync(dir).sort(), ['data', 'fec', 'hash']);
  await formatFiles({ ...request, fec, force: true });
  assert.deepEqual(readdirSync(dir).sort(), ['data', 'fec', 'hash']);
  assert.notEqual(readFileSync(path('fec'), 'utf8'), 'old parity');
});

test('data, tree and parity in one file: what was beside them stays, a failed run leaves none of it', async (t) => {
  const data = stream(6, 8192);
  const { path, request } = dataIn(t, data);
  truncateSync(path('data'), 32_768);
  const fd = openSync(path('data'), 'r+');
  writeSync(fd, 'end', 32_765);
  closeSync(fd);
  const before = read(path('data'));
  const inside = { ...request, hashPath: path('data'), hashOffset: 8192, dataBlocks: 16 };
  const fec = (offset: number) => ({ path: path('data'), offset, roots: 2 });
  // Not over the data, the tree, or what stands behind.
  for (const offset of [0, 4096, 8192, 8704]) {
    await assert.rejects(formatFiles({ ...inside, fec: fec(offset) }), { code: 'options_invalid' });
  }
  await assert.rejects(formatFiles({ ...inside, hashOffset: 7680 }), { code: 'options_invalid' });
  await assert.rejects(formatFiles({ ...inside, fec: fec(32_256) }), { code: 'exists' });
  await assert.rejects(formatFiles({ ...request, fec: fec(8192) }), { code: 'options_invalid' });
  let calls = 0;
  const signal = {
    throwIfAborted: () => {
      if (++calls === 3) throw new BytesError('io', 'unplugged');
    },
  };
  await assert.rejects(formatFiles({ ...inside, fec: fec(16_384) }, { signal }), { code: 'io' });
  assert.ok(bytesEqual(read(path('data')), before));

  const made = await formatFiles({ ...inside, fec: fec(16_384) });
  const after = read(path('data'));
  assert.ok(bytesEqual(after.subarray(0, 8192), data));
  assert.equal(readFileSync(path('data'), 'latin1').slice(32_765), 'end');
  const request2 = { dataPath: path('data'), hashPath: path('data'), rootHash: made.rootHash };
  const tree = { hashOffset: 8192, hasSuperblock: true } as const;
  assert.ok((await verifyFiles({ ...request2, tree })).isGood);
  const spoilt = openSync(path('data'), 'r+');
  writeSync(spoilt, 'damage', 700);
  closeSync(spoilt);
  const repaired = await repairFiles({ ...request2, tree, fec: fec(16_384) });
  assert.deepEqual([repaired.after.isGood, repaired.repairedData], [true, [1]]);
  assert.ok(bytesEqual(read(path('data')), after));
});

test('parity behind the data, in the data file', async (t) => {
  const data = stream(6, 8192);
  const { path, request } = dataIn(t, data);
  const fec = (offset: number) => ({ path: path('data'), offset, roots: 2 });
  await assert.rejects(formatFiles({ ...request, fec: fec(8191) }), {
    code: 'options_invalid',
    message: /8192 or more/,
  });
  const made = await formatFiles({ ...request, fec: fec(8192) });
  const after = read(path('data'));
  assert.equal(after.length, 8192 + made.fec!.paritySizeBytes);
  assert.ok(bytesEqual(after.subarray(0, 8192), data));
  const spoilt = openSync(path('data'), 'r+');
  writeSync(spoilt, 'damage', 700);
  closeSync(spoilt);
  const tree = { hashOffset: 0, hasSuperblock: true } as const;
  const files = { dataPath: path('data'), hashPath: path('hash'), rootHash: made.rootHash, tree };
  const repaired = await repairFiles({ ...files, fec: fec(8192) });
  assert.deepEqual([repaired.after.isGood, repaired.repairedData], [true, [1]]);
  assert.ok(bytesEqual(read(path('data')), after));
});

test('a parity file that would be the hash file is known as such before there is any', async (t) => {
  const { dir, request } = dataIn(t, stream(6, 8192));
  const fec = { path: `${dir}/./hash`, offset: 0, roots: 2 };
  await assert.rejects(formatFiles({ ...request, fec }), { code: 'options_invalid' });
});

const REQUESTS: [what: string, change: Partial<FormatFilesRequest>, code: string][] = [
  ['a block size of 0', { dataBlockSize: 0 }, 'options_invalid'],
  ['a block size that is not a number', { hashBlockSize: Number.NaN }, 'options_invalid'],
  ['a size that is not a multiple', { dataBlockSize: 4096 }, 'data_size'],
  ['more blocks than there are', { dataBlocks: 12 }, 'data_size'],
  ['no blocks', { dataBlocks: 0 }, 'options_invalid'],
  ['too long a salt', { salt: new Uint8Array(257) }, 'options_invalid'],
  ['a UUID that is none', { uuid: 'abc' }, 'options_invalid'],
  ['a seed that is none', { seed: new Uint8Array(15) }, 'options_invalid'],
  ['an offset that is none', { hashOffset: 100 }, 'options_invalid'],
  ['a number of threads that is none', { threads: Number.NaN }, 'options_invalid'],
  ['blocks of two sizes with parity', { hashBlockSize: 1024, fec: { path: '', offset: 0, roots: 2 } }, 'fec_geometry'],
  ['one root', { fec: { path: '', offset: 0, roots: 1 } }, 'fec_roots'],
];
for (const [what, change, code] of REQUESTS) {
  test(`refused, and nothing is left: ${what}`, async (t) => {
    const { dir, path, request } = dataIn(t, stream(7, 11 * 512));
    const fec = change.fec && { fec: { ...change.fec, path: path('fec') } };
    await assert.rejects(formatFiles({ ...request, ...change, ...fec }), { code });
    assert.deepEqual(readdirSync(dir), ['data']);
  });
}

test('refused: no data, no file, a folder', async (t) => {
  const { dir, path, request } = dataIn(t, new Uint8Array(0));
  await assert.rejects(formatFiles(request), { code: 'data_size' });
  await assert.rejects(formatFiles({ ...request, dataPath: path('absent') }), { code: 'not_found' });
  await assert.rejects(formatFiles({ ...request, dataPath: dir }), { code: 'not_a_file' });
  writeFileSync(path('data'), new Uint8Array(1024));
  await assert.rejects(formatFiles({ ...request, hashPath: dir }), { code: 'not_a_file' });
  await assert.rejects(formatFiles({ ...request, hashPath: path('absent/hash') }), { code: 'not_found' });
  await assert.rejects(formatFiles({ ...request, hashPath: path('data') }), { code: 'options_invalid' });
});

test('no space for the tree or the parity: nothing is left', needsMountNamespace(), async (t) => {
  const { dir } = dataIn(t, stream(8, 4 * 1024 * 1024));
  const script = `
    import { mkdirSync, readdirSync } from 'node:fs';
    import { formatFiles } from '@vouchsafe/verity/node';
    const [dir] = process.argv.slice(1);
    const request = { dataPath: dir + '/data', hashPath: dir + '/small/hash', hashType: 1, algorithm: 'sha256',
      dataBlockSize: 512, hashBlockSize: 512, hashOffset: 0, hasSuperblock: true };
    const fec = { path: dir + '/small/fec', offset: 0, roots: 24 };
    for (const more of [{}, { threads: 2 }, { hashPath: dir + '/hash', fec }]) {
      await formatFiles({ ...request, ...more }).then(() => console.log('made'), (error) => console.log(error.code));
      console.log([...readdirSync(dir + '/small'), ...readdirSync(dir)].join(' '));
    }`;
  const shell =
    'mkdir "$1/small" && mount -t tmpfs -o size=128k none "$1/small" && exec "$2" --input-type=module -e "$3" "$1"';
  const said = execFileSync('unshare', ['--mount', 'sh', '-c', shell, 'sh', dir, process.execPath, script], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  });
  assert.equal(said, 'no_space\ndata small\n'.repeat(3));
});

test('no permission for the tree: told of, nothing is left', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('missing tool: root');
  const { dir } = dataIn(t, stream(8, 4096));
  chmodSync(dir, 0o755);
  const script = `
    import { formatFiles } from '@vouchsafe/verity/node';
    const [dir] = process.argv.slice(1);
    // Only now: the modules may lie where nobody else reads, as in /root.
    process.setgroups([]);
    process.setuid(65534);
    await formatFiles({ dataPath: dir + '/data', hashPath: dir + '/hash', hashType: 1, algorithm: 'sha256',
      dataBlockSize: 512, hashBlockSize: 512, hashOffset: 0, hasSuperblock: true }).catch((error) => console.log(error.code));`;
  const node = ['--input-type=module', '-e', script, dir];
  const cwd = new URL('..', import.meta.url);
  assert.equal(execFileSync(process.execPath, node, { cwd, encoding: 'utf8' }), 'no_permission\n');
  assert.deepEqual(readdirSync(dir), ['data']);
});

test('holes are hashed as zeros without being read, by one thread and by several', needsTool('perl'), async (t) => {
  const { path, request } = dataIn(t, new Uint8Array(0));
  const fd = openSync(path('data'), 'r+');
  const size = 1024 * 1024 * 1024;
  ftruncateSync(fd, size);
  for (const at of [4096, 300 * 1024 * 1024 - 100, size - 10]) writeSync(fd, 'data', at);
  closeSync(fd);
  const big = { ...request, dataBlockSize: 65_536, hashBlockSize: 4096 };
  const one = await formatFiles({ ...big, threads: 1 });
  const two = await formatFiles({ ...big, threads: 2, hashPath: path('two') });
  assert.deepEqual(one.rootHash, two.rootHash);
  // The same without knowing of holes.
  const check = { dataPath: path('data'), hashPath: path('two'), tree: TREE, rootHash: one.rootHash };
  assert.ok((await verifyFiles({ ...check, threads: 1 })).isGood);
  const env = { ...process.env, PATH: '/nonexistent' };
  const script = `
    import { verifyFiles } from '@vouchsafe/verity/node';
    const check = JSON.parse(process.argv[1]);
    const report = await verifyFiles({ ...check, rootHash: Uint8Array.from(check.rootHash) });
    console.log(report.isGood);`;
  const args = ['--input-type=module', '-e', script, JSON.stringify({ ...check, rootHash: [...one.rootHash] })];
  const said = execFileSync(process.execPath, args, { cwd: new URL('..', import.meta.url), encoding: 'utf8', env });
  assert.equal(said, 'true\n');
});
