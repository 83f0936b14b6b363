// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytesEqual, parseHex, toHex } from '@vouchsafe/base';
import { MemorySink, memorySource } from '@vouchsafe/bytes';
import { decode } from '@vouchsafe/codec';
import { needsTool, needsVectors, tempDir, vectorPath } from '@vouchsafe/testing';
import {
  encodeFsVerityDescriptor,
  type FsVerityOptions,
  fsVerityDigest,
  fsverityDescriptor,
  measureFsVerity,
} from '@vouchsafe/verity';
import fc from 'fast-check';
import { stream } from './fec-support.ts';
import { tableRows, treeTestdata } from './tree-support.ts';

function optionsOf(args: string): FsVerityOptions {
  const value = (name: string): string | undefined => new RegExp(`${name}=(\\S+)`).exec(args)?.[1];
  return {
    algorithm: /sha512/.test(args) ? 'sha512' : 'sha256',
    blockSize: Number(value('block-size') ?? 4096),
    salt: parseHex(value('salt') ?? ''),
  };
}

async function measured(bytes: Uint8Array, options: FsVerityOptions) {
  const tree = new MemorySink(64 * 1024 * 1024);
  const description = await measureFsVerity(memorySource(bytes), options, tree);
  return { description, digest: toHex(fsVerityDigest(description)), tree: tree.bytes() };
}

for (const { seed, octets, args, digest } of tableRows('fsverity/digests.tsv')) {
  test(`vector: ${octets} octets, ${args}`, async () => {
    const made = await measured(stream(Number(seed), Number(octets)), optionsOf(args as string));
    assert.equal(made.digest, digest);
    if (seed !== '5') return;
    assert.ok(bytesEqual(made.tree, treeTestdata('fsverity/seed-5.merkle')));
    assert.ok(bytesEqual(encodeFsVerityDescriptor(made.description), treeTestdata('fsverity/seed-5.descriptor')));
  });
}

test('shared vectors', needsVectors('image/fsverity'), async () => {
  const lines = readFileSync(vectorPath('image/fsverity/vectors.tsv'), 'utf8').trimEnd().split('\n');
  for (const line of lines) {
    const [name = '', algorithm, blockSize, more = '', digest] = line.split('\t');
    const folder = name === 'empty.bin' ? 'image/fsverity' : 'image/verity';
    const bytes = new Uint8Array(readFileSync(vectorPath(folder, name)));
    const options = optionsOf(`${algorithm} block-size=${blockSize} ${more}`);
    assert.equal((await measured(bytes, options)).digest, digest, line);
  }
  const data = new Uint8Array(readFileSync(vectorPath('image/verity/data-1m.bin')));
  const { description, tree } = await measured(data, optionsOf('sha256'));
  const file = (name: string): Uint8Array => readFileSync(vectorPath('image/fsverity', name));
  assert.ok(bytesEqual(tree, file('data-1m.merkle')));
  assert.ok(bytesEqual(encodeFsVerityDescriptor(description), file('data-1m.descriptor')));
});

test('any file is measured as the fsverity tool does', needsTool('fsverity'), async (t) => {
  const path = join(tempDir(t), 'file');
  const anyOptions = fc.record({
    algorithm: fc.constantFrom('sha256', 'sha512'),
    blockSize: fc.constantFrom(1024, 2048, 4096, 16_384, 65_536),
    salt: fc.uint8Array({ maxLength: 32 }),
    octets: fc.oneof(
      fc.nat(10_000),
      fc.nat(400_000),
      fc.nat(64).map((n) => n * 1024),
    ),
  });
  await fc.assert(
    fc.asyncProperty(anyOptions, async ({ algorithm, blockSize, salt, octets }) => {
      const bytes = stream(octets, octets);
      writeFileSync(path, bytes);
      const args = [
        `--hash-alg=${algorithm}`,
        `--block-size=${blockSize}`,
        ...(salt.length > 0 ? [`--salt=${toHex(salt)}`] : []),
      ];
      const said = execFileSync('fsverity', ['digest', path, ...args], { encoding: 'utf8' });
      const { digest } = await measured(bytes, optionsOf(args.join(' ')));
      assert.equal(`${algorithm}:${digest}`, said.split(' ')[0]);
    }),
    { numRuns: 40, seed: 20_261_122 },
  );
});

test('round trip: the descriptor; and what it cannot hold', async () => {
  const { description } = await measured(stream(1, 5000), {
    algorithm: 'sha512',
    blockSize: 1024,
    salt: Uint8Array.of(9),
  });
  const bytes = encodeFsVerityDescriptor(description);
  const read = decode(fsverityDescriptor, bytes);
  assert.deepEqual(
    [read.hashAlgorithm, 2 ** read.logBlockSize, read.salt, read.dataSize, read.rootHash],
    ['sha512', 1024, Uint8Array.of(9), 5000n, description.rootHash],
  );
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decode(fsverityDescriptor, bytes.subarray(0, length)), { code: 'truncated' });
  }
  assert.throws(() => decode(fsverityDescriptor, new Uint8Array([...bytes, 0])), { code: 'trailing_bytes' });
  for (const rootHash of [new Uint8Array(0), new Uint8Array(32), new Uint8Array(65)]) {
    assert.throws(() => encodeFsVerityDescriptor({ ...description, rootHash }), { code: 'options_invalid' });
  }
});

test('options that fs-verity does not have are refused', async () => {
  for (const change of [
    { blockSize: 512 },
    { blockSize: 131_072 },
    { blockSize: 3000 },
    { blockSize: Number.NaN },
    { salt: new Uint8Array(33) },
  ]) {
    const options = { algorithm: 'sha256', blockSize: 4096, salt: new Uint8Array(0), ...change } as const;
    await assert.rejects(measureFsVerity(memorySource(new Uint8Array(10)), options), { code: 'options_invalid' });
  }
});
