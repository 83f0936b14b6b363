// SPDX-License-Identifier: Apache-2.0
// Internal: imports the reader of the list of extents.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readdirSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBytes, readScattered } from '@vouchsafe/bytes';
import { FileSource, InPlaceFile } from '@vouchsafe/bytes/node';
import { needsTool, tempDir } from '@vouchsafe/testing';
import { parseExtents } from '../src/node/holes.ts';

const MIB = 1024 * 1024;

/** A file with holes around two pieces of data. */
function sparseFile(path: string, size: number, ...at: readonly number[]): void {
  const fd = openSync(path, 'w');
  for (const offset of at) writeSync(fd, Buffer.alloc(4096, 7), 0, 4096, offset);
  closeSync(fd);
  truncateSync(path, size);
}

test('a file is read at any place, with more targets than one call takes', (t) => {
  const path = join(tempDir(t), 'file');
  const bytes = Uint8Array.from({ length: 6000 }, (_, i) => i % 251);
  writeFileSync(path, bytes);
  using source = FileSource.open(path);
  assert.deepEqual(readBytes(source, 5990, 10), bytes.slice(5990));
  const targets = Array.from({ length: 2000 }, () => new Uint8Array(3));
  readScattered(source, 0, targets);
  assert.deepEqual(Buffer.concat(targets), Buffer.from(bytes));
  assert.throws(() => readBytes(source, 5999, 2), { code: 'out_of_range' });
  assert.throws(() => readScattered(source, 1, targets), { code: 'out_of_range' });
});

test('what lies between the extents is zeros, and all data lies in them', needsTool('perl'), (t) => {
  const path = join(tempDir(t), 'sparse');
  sparseFile(path, 64 * MIB, 3 * MIB, 40 * MIB + 4096);
  using source = FileSource.open(path);
  const extents = source.dataExtents();
  assert.ok(extents.length > 0 && extents.every(({ start, end }) => start < end && end <= 64 * MIB));
  assert.ok([3 * MIB, 40 * MIB + 4096].every((at) => extents.some((e) => e.start <= at && e.end >= at + 4096)));
  let from = 0;
  for (const { start, end } of [...extents, { start: 64 * MIB, end: 64 * MIB }]) {
    assert.ok(start >= from);
    const hole = readBytes(source, from, start - from);
    assert.equal(
      hole.findIndex((byte) => byte !== 0),
      -1,
    );
    from = end;
  }
});

test('a file whose size has no block is one hole; one that is written to is all data', needsTool('perl'), (t) => {
  const path = join(tempDir(t), 'hole');
  sparseFile(path, 2 ** 43);
  using source = FileSource.open(path);
  assert.deepEqual(source.dataExtents(), []);
  using changing = FileSource.open(path, { changes: true });
  assert.deepEqual(changing.dataExtents(), [{ start: 0, end: 2 ** 43 }]);
});

test('the holes are those of the open file, whatever has taken its name', needsTool('perl'), (t) => {
  const path = join(tempDir(t), 'file');
  sparseFile(path, 8 * MIB, 0);
  using source = FileSource.open(path);
  execFileSync('mv', [path, `${path}.old`]);
  sparseFile(path, 8 * MIB);
  assert.equal(source.dataExtents()[0]?.start, 0);
});

test('a list of extents that is out of order or not whole is not believed', () => {
  assert.deepEqual(parseExtents('0 5\n7 20\nend\n', 10), [
    { start: 0, end: 5 },
    { start: 7, end: 10 },
  ]);
  assert.deepEqual(parseExtents('end\n', 10), []);
  for (const text of [
    '',
    '0 5\n',
    '0 5\nend',
    '5 5\nend\n',
    '5 4\nend\n',
    '4 6\n5 8\nend\n',
    '-1 6\nend\n',
    '0 x\nend\n',
    '0\nend\n',
    '\nend\n',
    '0 99999999999999999\nend\n',
    '0 1 2\nend\n',
  ]) {
    assert.equal(parseExtents(text, 10), undefined, JSON.stringify(text));
  }
});

test('a file that shrinks while it is read is told of', (t) => {
  const path = join(tempDir(t), 'file');
  writeFileSync(path, new Uint8Array(10_000));
  using source = FileSource.open(path);
  truncateSync(path, 5000);
  assert.throws(() => readBytes(source, 4000, 2000), { code: 'short_read', message: /now ends at 5000/ });
  const targets = [new Uint8Array(900), new Uint8Array(900)];
  assert.throws(() => readScattered(source, 4000, targets), { code: 'short_read' });
});

test('what is not a file is refused, a pipe without waiting for it', needsTool('mkfifo'), (t) => {
  const dir = tempDir(t);
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  for (const open of [FileSource.open, InPlaceFile.open]) {
    assert.throws(() => open(join(dir, 'absent')), { code: 'not_found' });
    assert.throws(() => open(join(dir, 'absent/below')), { code: 'not_found' });
    assert.throws(() => open(dir), { code: 'not_a_file' });
    assert.throws(() => open(join(dir, 'pipe')), { code: 'not_a_file' });
    assert.throws(() => open('/dev/null'), { code: 'not_a_file' });
  }
});

test('a file of somebody else is refused with what to do', (t) => {
  if (process.getuid?.() !== 0) return t.skip('missing tool: root');
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const path = join(dir, 'secret');
  writeFileSync(path, 'x', { mode: 0o600 });
  const script = `
    import { FileSource } from '@vouchsafe/bytes/node';
    // Only now: the modules may lie where nobody else reads, as in /root.
    process.setgroups([]);
    process.setuid(65534);
    try { FileSource.open(process.argv[1]); } catch (error) { console.log(error.code, error.message); }`;
  const node = ['--input-type=module', '-e', script, path];
  const cwd = new URL('..', import.meta.url);
  const said = execFileSync(process.execPath, node, { cwd, encoding: 'utf8' });
  assert.match(said, /^no_permission .*secret: permission denied; check/);
});

test('closing twice closes one descriptor', (t) => {
  const path = join(tempDir(t), 'file');
  writeFileSync(path, 'x');
  const source = FileSource.open(path);
  source.close();
  const other = openSync(path, 'r');
  source.close();
  closeSync(other);
  assert.deepEqual(readdirSync(join(path, '..')), ['file']);
});

test('a part of a file is a source over the same descriptor, in another thread too', (t) => {
  const path = join(tempDir(t), 'file');
  sparseFile(path, 8 * MIB, 0, 4 * MIB);
  using source = FileSource.open(path);
  const part = source.part(4 * MIB - 1000, 2000, 'part');
  assert.deepEqual([part.size, part.label], [2000, 'part']);
  const expected = Buffer.concat([Buffer.alloc(1000), Buffer.alloc(1000, 7)]);
  assert.deepEqual(Buffer.from(readBytes(part, 0, 2000)), expected);
  assert.deepEqual(part.dataExtents(), [{ start: 1000, end: 2000 }]);
  const elsewhere = FileSource.over(part.part(500, 1000).handle);
  assert.deepEqual(Buffer.from(readBytes(elsewhere, 0, 1000)), expected.subarray(500, 1500));
  const halves = [new Uint8Array(500), new Uint8Array(500)];
  readScattered(elsewhere, 0, halves);
  assert.deepEqual(Buffer.concat(halves), expected.subarray(500, 1500));
  assert.throws(() => readBytes(part, 1999, 2), { code: 'out_of_range' });
  assert.throws(() => source.part(8 * MIB - 1, 2), { code: 'out_of_range' });
});
