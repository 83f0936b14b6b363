// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { bytesEqual, concatBytes, isVouchsafeError } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { type Compression, compressionOf, lz4Content } from '@vouchsafe/disk';
import { decompressed } from '@vouchsafe/disk/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { bytesOf, withCode } from './support.ts';

async function decompress(bytes: Uint8Array, compression: Compression, limits = {}): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of decompressed(memorySource(bytes), compression, limits)) pieces.push(piece.slice());
  return concatBytes(...pieces);
}

/** A megabyte and more that is partly random, partly not, with far and near repetitions. */
const CONTENT = ((): Uint8Array => {
  const bytes = new Uint8Array(700_000);
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = i % 4096 < 2500 ? state >>> 24 : i % 7;
  }
  bytes.copyWithin(500_000, 440_000, 500_000);
  return bytes;
})();

function made(tool: string, args: readonly string[], content: Uint8Array): Uint8Array {
  return new Uint8Array(
    execFileSync(tool, args as string[], { input: content, maxBuffer: 2 ** 28, stdio: ['pipe', 'pipe', 'ignore'] }),
  );
}

const TOOLS: readonly (readonly [Compression, tool: string, ...args: string[]])[] = [
  ['gzip', 'gzip', '-n'],
  ['gzip', 'gzip', '-1'],
  ['zstd', 'zstd', '-19', '--no-check'],
  ['zstd', 'zstd', '--check'],
  ['xz', 'xz'],
  ['xz', 'xz', '--check=crc32', '--block-size=100000'],
  ['xz', 'xz', '--check=none'],
  ['lz4', 'lz4', '-c'],
  ['lz4', 'lz4', '-c', '-9', '-BD', '-B4'],
  ['lz4', 'lz4', '-c', '-B5', '-BX', '--content-size'],
  ['lz4', 'lz4', '-c', '-B7', '--no-frame-crc'],
  ['lz4', 'lz4', '-c', '-l'],
];

for (const [compression, tool, ...args] of TOOLS) {
  test(`${tool} ${args.join(' ')}: the content, twice end to end, cut, changed`, needsTool(tool), async () => {
    const bytes = made(tool, args, CONTENT);
    assert.equal(compressionOf(memorySource(bytes)), compression);
    assert.ok(bytesEqual(await decompress(bytes, compression), CONTENT));
    assert.ok(
      bytesEqual(await decompress(concatBytes(bytes, bytes), compression), concatBytes(CONTENT, CONTENT)),
      'two',
    );
    const empty = made(tool, args, new Uint8Array(0));
    assert.deepEqual(await decompress(empty, compression), new Uint8Array(0));
    const hasEnd = !args.includes('-l');
    for (const length of [1, 5, 11, 20, bytes.length >> 1, bytes.length - 1]) {
      if (!hasEnd && length === 20) continue;
      await assert.rejects(
        decompress(bytes.subarray(0, length), compression),
        withCode('compression_malformed'),
        `${length} octets`,
      );
    }
    const behind = concatBytes(bytes, bytesOf('behind it'));
    await assert.rejects(decompress(behind, compression), withCode('compression_malformed'), 'something behind it');
    const isChecked = !args.some((arg) => arg.startsWith('--no') || arg === '--check=none' || arg === '-l');
    for (let at = 40; isChecked && at < bytes.length; at += 199_991) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await assert.rejects(decompress(changed, compression), withCode('compression_malformed'), `octet ${at}`);
    }
  });
}

for (const [what, args] of [
  ['SHA-256', ['--check=sha256']],
  ['a filter', ['--x86', '--lzma2']],
] as const) {
  test(`xz with ${what} is refused by name`, needsTool('xz'), async () => {
    await assert.rejects(decompress(made('xz', args, CONTENT), 'xz'), withCode('compression_unsupported'));
  });
}

test('a dictionary larger than memory should be', needsTool('xz'), async () => {
  await assert.rejects(decompress(made('xz', ['--lzma2=dict=512MiB'], CONTENT), 'xz'), withCode('limit'));
});

for (const [compression, tool] of [
  ['gzip', 'gzip'],
  ['zstd', 'zstd'],
  ['xz', 'xz'],
  ['lz4', 'lz4'],
] as const) {
  test(`a bomb of ${tool}: by size and by ratio`, needsTool(tool), async () => {
    const zeros = made(tool, ['-c'], new Uint8Array(70 * 2 ** 20));
    await assert.rejects(decompress(zeros, compression, { maxBytes: 1_000_000 }), withCode('limit'));
    await assert.rejects(decompress(zeros, compression, { maxRatio: 10 }), withCode('limit'));
    const stopped = { throwIfAborted: () => assert.fail('stopped') };
    await assert.rejects(decompress(zeros, compression, { signal: stopped }), /stopped/);
  });
}

test('gzip with zeros behind it, as tapes have them', needsTool('gzip'), async () => {
  const bytes = made('gzip', ['-n'], CONTENT);
  assert.ok(bytesEqual(await decompress(concatBytes(bytes, new Uint8Array(10_000)), 'gzip'), CONTENT));
});

test('zstd frames to skip, with a size and without, and none but these', needsTool('zstd'), async () => {
  const skipped = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  const small = made('zstd', ['--no-check'], CONTENT.subarray(0, 200));
  const empty = Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0);
  assert.deepEqual(await decompress(concatBytes(skipped, small, empty), 'zstd'), CONTENT.slice(0, 200));
  assert.equal(compressionOf(memorySource(skipped)), 'zstd');
  assert.deepEqual(await decompress(skipped, 'zstd'), new Uint8Array(0));
  await assert.rejects(decompress(skipped.subarray(0, 10), 'zstd'), withCode('compression_malformed'));
});

test('what is known and not read', () => {
  for (const [text, name] of [
    ['BZh91AY', 'bzip2'],
    ['PK\x03\x04', 'zip'],
    ['./', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(compressionOf(memorySource(bytesOf(text))), name);
  }
});

test('lz4 by hand: every truncation and every octet changed', needsTool('lz4'), () => {
  const bytes = made('lz4', ['-c', '-B4', '-BX', '--content-size'], CONTENT.subarray(0, 300));
  const read = (input: Uint8Array) =>
    concatBytes(...Array.from(lz4Content(memorySource(input)), (piece) => piece.slice()));
  assert.deepEqual(read(bytes), CONTENT.slice(0, 300));
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => read(bytes.subarray(0, length)), withCode('compression_malformed'), `${length} octets`);
  }
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [0x01, 0x20, 0x80]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ bit;
      // A frame that became one to skip has no content.
      assert.throws(
        () => assert.equal(read(changed).length, 300),
        (error) => isVouchsafeError(error),
        `octet ${at}`,
      );
    }
  }
});

test('lz4 with a dictionary, and frames to skip', needsTool('lz4'), (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'dictionary'), CONTENT.subarray(0, 1000));
  const skipped = Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  const plain = made('lz4', ['-c'], CONTENT.subarray(0, 100));
  const pieces = [...lz4Content(memorySource(concatBytes(skipped, plain, skipped)))];
  assert.equal(
    pieces.reduce((sum, { length }) => sum + length, 0),
    100,
  );
  const own = plain.slice();
  own[4] = (own[4] ?? 0) | 1;
  assert.throws(() => [...lz4Content(memorySource(own))], withCode('compression_unsupported'));
});
