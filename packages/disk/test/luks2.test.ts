// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { memorySource } from '@vouchsafe/bytes';
import {
  changeToken,
  DiskError,
  freeTokenNumber,
  LUKS2_HEADER_SIZES,
  type Luks2Token,
  type Luks2Write,
  readLuks2,
} from '@vouchsafe/disk';
import { needsTool, tempDir } from '@vouchsafe/testing';
import fc from 'fast-check';

const SALTS = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)] as const;
const TOKEN: Luks2Token = { type: 'systemd-tpm2', keyslots: ['0'], 'tpm2-pcrs': [7, 11], 'tpm2-blob': 'AAAA' };

const read = (bytes: Uint8Array) => readLuks2(memorySource(bytes));
const code = (expected: string) => (error: unknown) => error instanceof DiskError && error.code === expected;

function cryptsetup(...args: string[]): string {
  // A program that reads nothing may have ended before it is written to.
  const stdin = args.includes('-') ? { input: 'passphrase' } : {};
  return execFileSync('cryptsetup', args, { encoding: 'utf8', ...stdin, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A header file that cryptsetup made: both copies, and key slots with a passphrase. */
function formatted(folder: string): { readonly path: string; readonly bytes: () => Buffer } {
  const path = join(folder, 'header');
  writeFileSync(path, '');
  truncateSync(path, 16 * 1024 * 1024);
  const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--luks2-keyslots-size', '512k'];
  cryptsetup('luksFormat', '-q', '--type', 'luks2', '--label', 'état', ...quick, path, '-');
  return { path, bytes: () => readFileSync(path) };
}

function apply(bytes: Uint8Array, writes: readonly Luks2Write[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const write of writes) copy.set(write.bytes, write.offset);
  return copy;
}

test('a header of cryptsetup is read, and takes tokens that cryptsetup reads', needsTool('cryptsetup'), (t) => {
  const { path, bytes } = formatted(tempDir(t));
  const before = read(bytes());
  assert.deepEqual(before.findings, []);
  const dump = cryptsetup('luksDump', path);
  assert.match(dump, new RegExp(`UUID:\\s+${before.header.uuid}\n`));
  assert.deepEqual(Object.keys(before.metadata.keyslots), ['0']);
  assert.equal(freeTokenNumber(before.metadata), 0);
  const after = apply(bytes(), changeToken(before, 3, TOKEN, [...SALTS]));
  writeFileSync(path, after);
  assert.deepEqual(JSON.parse(cryptsetup('token', 'export', '--token-id', '3', path)), TOKEN);
  // The volume key still opens: nothing else was touched.
  cryptsetup('open', '--test-passphrase', '--key-file', '-', path);
  assert.match(cryptsetup('luksDump', path), /Label:\s+état/);
  assert.equal(read(after).header.seqid, before.header.seqid + 1n);
  // And the other way round.
  writeFileSync(join(path, '..', 'token.json'), JSON.stringify({ ...TOKEN, type: 'other' }));
  cryptsetup('token', 'import', '--json-file', join(path, '..', 'token.json'), path);
  const again = read(bytes());
  assert.deepEqual(again.findings, []);
  assert.deepEqual(
    Object.entries(again.metadata.tokens).map(([number, { type }]) => `${number} ${type}`),
    ['0 other', '3 systemd-tpm2'],
  );
  const removed = apply(bytes(), changeToken(again, 0, undefined, [...SALTS]));
  assert.deepEqual(Object.keys(read(removed).metadata.tokens), ['3']);
});

test('either copy is enough, and an interrupted change leaves the old or the new', needsTool('cryptsetup'), (t) => {
  const original = formatted(tempDir(t)).bytes();
  const before = read(original);
  const size = Number(before.header.hdrSize);
  assert.ok(LUKS2_HEADER_SIZES.includes(size));
  for (const [offset, name] of [
    [5000, 'first copy'],
    [size + 5000, 'second copy'],
    [0, 'first copy'],
    [size, 'second copy'],
  ] as const) {
    const damaged = Uint8Array.from(original);
    damaged[offset] = (damaged[offset] ?? 0) ^ 1;
    const found = read(damaged);
    assert.deepEqual(found.metadata, before.metadata);
    assert.deepEqual(
      found.findings.map(({ code: finding, where }) => `${finding} ${where.path}`),
      [`luks2_copy_damaged ${name}`],
    );
  }
  const writes = changeToken(before, 0, TOKEN, [...SALTS]);
  const [first] = writes;
  assert.ok(first);
  // Between the two: the newer copy counts, and it is said.
  const between = read(apply(original, [first]));
  assert.deepEqual(between.metadata.tokens, { '0': TOKEN });
  assert.deepEqual(
    between.findings.map(({ code: finding }) => finding),
    ['luks2_copy_older'],
  );
  // In the middle of the first: the second still says what was.
  const torn = read(apply(original, [{ offset: 0, bytes: first.bytes.subarray(0, 4096 + 100) }]));
  assert.deepEqual(torn.metadata, before.metadata);
});

test('what is refused, and how', needsTool('cryptsetup'), (t) => {
  const original = formatted(tempDir(t)).bytes();
  const before = read(original);
  const size = Number(before.header.hdrSize);
  assert.throws(() => read(new Uint8Array(0)), code('luks2_missing'));
  assert.throws(() => read(new Uint8Array(65_536)), code('luks2_missing'));
  const both = Uint8Array.from(original);
  both[600] = (both[600] ?? 0) ^ 1;
  both[size + 600] = (both[size + 600] ?? 0) ^ 1;
  assert.throws(() => read(both), code('luks2_malformed'));
  // A copy that was moved, or one cut off, is none.
  assert.throws(() => read(original.subarray(size, 2 * size)), code('luks2_missing'));
  assert.throws(() => read(original.subarray(0, size - 1)), code('luks2_malformed'));
  assert.equal(read(original.subarray(0, size)).findings.length, 1);
  const change = (number: number, token: Luks2Token | undefined) => () =>
    changeToken(before, number, token, [...SALTS]);
  assert.throws(change(32, TOKEN), code('options_invalid'));
  assert.throws(change(-1, TOKEN), code('options_invalid'));
  change(31, TOKEN)();
  assert.throws(change(0, { ...TOKEN, keyslots: ['1'] }), code('options_invalid'));
  assert.throws(change(0, { ...TOKEN, keyslots: ['toString'] }), code('options_invalid'));
  const text = (length: number): Luks2Token => ({ ...TOKEN, text: 'x'.repeat(length) });
  assert.throws(change(0, text(size)), code('no_space'));
  const tokens = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [String(i), TOKEN]));
  assert.throws(() => freeTokenNumber({ ...before.metadata, tokens }), code('limit'));
});

test('any octet changed: the same answer from the other copy, or a coded error', needsTool('cryptsetup'), (t) => {
  const original = formatted(tempDir(t)).bytes();
  const before = read(original);
  const size = Number(before.header.hdrSize);
  const some = Uint8Array.from(original.subarray(0, 2 * size));
  fc.assert(
    fc.property(fc.nat(2 * size - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const kept = some[at]!;
      some[at] = kept ^ flip;
      const found = read(some);
      some[at] = kept;
      assert.deepEqual(found.metadata, before.metadata);
      // Of the 64 octets for the checksum SHA-256 takes half; nothing covers the others.
      const isUnused = at % size >= 448 + 32 && at % size < 448 + 64;
      assert.equal(found.findings.length, isUnused ? 0 : 1);
    }),
    {
      numRuns: 200,
      examples: [
        [448 + 31, 1],
        [448 + 32, 1],
        [size + 511, 1],
        [size + 512, 1],
      ],
    },
  );
});
