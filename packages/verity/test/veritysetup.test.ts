// SPDX-License-Identifier: Apache-2.0
// A matrix of options that a seed decides, against veritysetup itself. VOUCHSAFE_MATRIX=500 runs more of it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesEqual, parseHex, toHex } from '@vouchsafe/base';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { type FormatFilesRequest, formatFiles, verifyFiles } from '@vouchsafe/verity/node';
import fc from 'fast-check';
import { stream } from './fec-support.ts';
import { treeOptions, UUID } from './tree-support.ts';

const RUNS = Number(process.env['VOUCHSAFE_MATRIX'] ?? 40);
const SEED = 20_261_122;

interface Case {
  readonly seed: number;
  /** Command line options that both understand. */
  readonly args: string;
  readonly octets: number;
  readonly isOneFile: boolean;
}

const size = (most: number) => fc.integer({ min: 9, max: most }).map((log) => 2 ** log);
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    seed: fc.nat(1_000_000),
    algorithm: fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-512', 'blake2b-512', 'SHA224'),
    format: fc.constantFrom(0, 1, 1),
    salt: fc.oneof(fc.constant('-'), fc.uint8Array({ minLength: 1, maxLength: 256 }).map(toHex)),
    dataBlockSize: fc.oneof(size(12), size(12), size(19)),
    hashBlockSize: fc.oneof(size(12), size(12), size(19)),
    blocks: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1500 })),
    tailBlocks: fc.constantFrom(0, 0, 3),
    offset: fc.nat(9),
    place: fc.constantFrom<'file' | 'offset' | 'one-file'>('file', 'offset', 'one-file'),
    superblock: fc.boolean(),
    parity: fc.constantFrom(0, 0, 2, 7, 24),
  })
  .map((c) => {
    // Data of a few MiB at most.
    const blocks = Math.max(1, Math.min(c.blocks, Math.floor((2 * 1024 * 1024) / c.dataBlockSize)));
    const octets = (blocks + c.tailBlocks) * c.dataBlockSize;
    const step = c.superblock ? 512 : c.hashBlockSize;
    const behind = c.place === 'one-file' ? Math.ceil(octets / step) : 0;
    const hashOffset = c.place === 'file' ? 0 : (behind + c.offset) * step;
    const args = [
      `--hash=${c.algorithm}`,
      `--format=${c.format}`,
      `--salt=${c.salt}`,
      `--uuid=${UUID}`,
      `--data-block-size=${c.dataBlockSize}`,
      `--hash-block-size=${c.hashBlockSize}`,
      `--hash-offset=${hashOffset}`,
      ...(c.tailBlocks > 0 || c.place === 'one-file' ? [`--data-blocks=${blocks}`] : []),
      ...(c.superblock ? [] : ['--no-superblock']),
      ...(c.parity > 0 && c.dataBlockSize === c.hashBlockSize && c.place === 'file' ? [`--fec-roots=${c.parity}`] : []),
    ];
    return { seed: c.seed, args: args.join(' '), octets, isOneFile: c.place === 'one-file' };
  });

function rootHashIn(text: string): string {
  return /Root hash:\s*([0-9a-f]+)/.exec(text)?.[1] ?? assert.fail(text);
}

async function compare(dir: string, { seed, args, octets, isOneFile }: Case): Promise<void> {
  const path = (name: string): string => join(dir, name);
  for (const name of ['data', 'theirs', 'ours', 'theirs.fec', 'ours.fec']) rmSync(path(name), { force: true });
  writeFileSync(path('data'), stream(seed, octets));
  if (isOneFile) for (const name of ['theirs', 'ours']) copyFileSync(path('data'), path(name));
  const hasFec = args.includes('--fec-roots');
  const dataOf = (name: string): string => path(isOneFile ? name : 'data');
  const theirArgs = [...args.split(' '), ...(hasFec ? [`--fec-device=${path('theirs.fec')}`] : [])];
  const {
    status,
    stdout: said,
    stderr,
  } = spawnSync('veritysetup', ['format', dataOf('theirs'), path('theirs'), ...theirArgs], { encoding: 'utf8' });
  // It cannot write its superblock behind the end of a new file that gets no tree (seen, 2.6.1); we can.
  const theyCannot = status !== 0 && /update of verity header/.test(stderr);
  if (!theyCannot) assert.equal(status, 0, stderr);
  const { parameters, dataBlocks, place, fecRoots } = treeOptions(args);
  const request: FormatFilesRequest = {
    ...parameters,
    dataPath: dataOf('ours'),
    hashPath: path('ours'),
    dataBlocks,
    uuid: UUID,
    hashOffset: place.offset,
    hasSuperblock: place.hasSuperblock,
    fec: hasFec ? { path: path('ours.fec'), offset: 0, roots: fecRoots } : undefined,
  };
  const made = await formatFiles(request);
  if (theyCannot) return assert.equal(made.parameters.dataBlocks, 1);
  assert.equal(toHex(made.rootHash), rootHashIn(said));
  assert.ok(bytesEqual(readFileSync(path('ours')), readFileSync(path('theirs'))), 'the hash files differ');
  if (hasFec)
    assert.ok(bytesEqual(readFileSync(path('ours.fec')), readFileSync(path('theirs.fec'))), 'the parity differs');
  const tree = place.hasSuperblock
    ? { hashOffset: place.offset, hasSuperblock: true as const }
    : { hashOffset: place.offset, hasSuperblock: false as const, parameters: made.parameters };
  const { dataPath, hashPath } = request;
  const report = await verifyFiles({ dataPath, hashPath, tree, rootHash: parseHex(rootHashIn(said)) });
  assert.ok(report.isGood);
}

test(`trees, superblocks and parity as veritysetup writes them: ${RUNS} cases`, needsTool('veritysetup'), async (t) => {
  const dir = tempDir(t);
  await fc.assert(
    fc.asyncProperty(anyCase, (one) => compare(dir, one)),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
});

/** Data of 60 blocks of 512 octets: which file has the tree and which the parity, and where they begin there. */
const PLACES: readonly [hash: string, hashOffset: number, fec: string, fecOffset: number][] = [
  ['hash', 0, 'fec', 0],
  ['hash', 0, 'fec', 1536],
  ['hash', 0, 'hash', 8192],
  ['hash', 1024, 'hash', 8704],
  ['hash', 0, 'data', 60 * 512],
  ['hash', 0, 'data', 100 * 512],
  ['data', 60 * 512, 'data', 100 * 512],
  ['data', 64 * 512, 'fec', 512],
];

for (const [hash, hashOffset, fec, fecOffset] of PLACES) {
  const where = `the tree at ${hashOffset} of ${hash}, the parity at ${fecOffset} of ${fec}`;
  test(`${where}: as veritysetup writes it`, needsTool('veritysetup'), async (t) => {
    const dirs = [tempDir(t), tempDir(t)] as const;
    const [theirs, ours] = dirs;
    for (const dir of dirs) {
      writeFileSync(join(dir, 'data'), stream(fecOffset, 60 * 512));
      // What lies between tree and parity is protected, and veritysetup does not make it.
      if (fec !== hash) continue;
      const fd = openSync(join(dir, hash), 'a');
      ftruncateSync(fd, fecOffset);
      closeSync(fd);
    }
    const args = '--data-block-size=512 --hash-block-size=512 --salt=00 --data-blocks=60 --fec-roots=3';
    const places = [`--hash-offset=${hashOffset}`, `--fec-device=${fec}`, `--fec-offset=${fecOffset}`];
    execFileSync('veritysetup', ['format', 'data', hash, `--uuid=${UUID}`, ...args.split(' '), ...places], {
      cwd: theirs,
      stdio: 'pipe',
    });
    const { parameters, dataBlocks } = treeOptions(args);
    await formatFiles({
      ...parameters,
      dataPath: join(ours, 'data'),
      hashPath: join(ours, hash),
      dataBlocks,
      uuid: UUID,
      hashOffset,
      hasSuperblock: true,
      force: true,
      fec: { path: join(ours, fec), offset: fecOffset, roots: 3 },
    });
    assert.deepEqual(readdirSync(ours), readdirSync(theirs));
    for (const name of readdirSync(ours)) {
      const [a, b] = dirs.map((dir) => readFileSync(join(dir, name))) as [Buffer, Buffer];
      assert.ok(bytesEqual(a, b), `${name} differs: ${a.length} and ${b.length} octets`);
    }
  });
}

test('a sparse file of which most is holes', needsTool('veritysetup', 'perl'), async (t) => {
  const dir = tempDir(t);
  const data = join(dir, 'data');
  const fd = openSync(data, 'w');
  // 3 TiB, of which the first 512 MiB are covered.
  ftruncateSync(fd, 3 * 2 ** 40);
  for (const at of [0, 100 * 2 ** 20 + 5, 2 ** 29 - 4, 2 ** 41]) writeSync(fd, 'data', at);
  closeSync(fd);
  const args = '--data-block-size=16384 --hash-block-size=1024 --data-blocks=32768 --salt=0102';
  const said = execFileSync(
    'veritysetup',
    ['format', data, join(dir, 'theirs'), `--uuid=${UUID}`, ...args.split(' ')],
    {
      encoding: 'utf8',
      stdio: 'pipe',
    },
  );
  const { parameters, dataBlocks } = treeOptions(args);
  const hashPath = join(dir, 'ours');
  const rest = { hashOffset: 0, hasSuperblock: true, uuid: UUID };
  const made = await formatFiles({ ...parameters, ...rest, dataBlocks, dataPath: data, hashPath });
  assert.equal(toHex(made.rootHash), rootHashIn(said));
  assert.ok(bytesEqual(readFileSync(hashPath), readFileSync(join(dir, 'theirs'))));
});

test('damage is found where veritysetup finds it', needsTool('veritysetup'), async (t) => {
  const dir = tempDir(t);
  const [dataPath, hashPath] = [join(dir, 'data'), join(dir, 'hash')];
  const data = stream(1, 200 * 512);
  writeFileSync(dataPath, data);
  const { parameters } = treeOptions('--data-block-size=512 --hash-block-size=512 --salt=00');
  const made = await formatFiles({ ...parameters, dataPath, hashPath, hashOffset: 0, hasSuperblock: true });
  const rootHash = toHex(made.rootHash);
  const theirs = (): number | null => spawnSync('veritysetup', ['verify', dataPath, hashPath, rootHash]).status;
  const tree = { hashOffset: 0, hasSuperblock: true } as const;
  const ours = async (): Promise<boolean> =>
    (await verifyFiles({ dataPath, hashPath, tree, rootHash: made.rootHash })).isGood;
  assert.deepEqual([theirs(), await ours()], [0, true]);
  const hash = new Uint8Array(readFileSync(hashPath));
  for (let i = 0; i < 20; i++) {
    const bytes = i % 2 === 0 ? hash.slice() : data.slice();
    // Behind the superblock, of which the UUID is not covered.
    const at = 512 + ((i * 7919) % (bytes.length - 512));
    bytes[at]! ^= 1;
    writeFileSync(hashPath, i % 2 === 0 ? bytes : hash);
    writeFileSync(dataPath, i % 2 === 0 ? data : bytes);
    assert.deepEqual([theirs() === 0, await ours()], [false, false], `octet ${at}`);
  }
});
