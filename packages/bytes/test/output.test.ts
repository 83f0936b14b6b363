// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitTogether, isSameFile, OutputFile, openRegion } from '@vouchsafe/bytes/node';
import { needsMountNamespace, needsTool, tempDir } from '@vouchsafe/testing';

const ABC = Uint8Array.of(97, 98, 99);

test('an output has its name when it is complete, and not before', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'out');
  using file = OutputFile.create(path);
  file.write(2, ABC);
  assert.deepEqual([existsSync(path), readdirSync(dir).length], [false, 1]);
  file.commit();
  assert.deepEqual(readdirSync(dir), ['out']);
  assert.equal(readFileSync(path, 'latin1'), '\0\0abc');
  file.discard();
  assert.deepEqual(readdirSync(dir), ['out']);
});

test('an output may be flushed on the way, while more is written', async (t) => {
  const path = join(tempDir(t), 'out');
  using file = OutputFile.create(path);
  file.write(0, ABC);
  const flushed = file.startFlush();
  file.write(3, ABC);
  await flushed;
  file.commit();
  assert.equal(readFileSync(path, 'latin1'), 'abcabc');
});

test('a discarded output leaves nothing, and may be discarded again', (t) => {
  const dir = tempDir(t);
  const file = OutputFile.create(join(dir, 'out'));
  file.write(0, ABC);
  file.discard();
  file.discard();
  assert.deepEqual(readdirSync(dir), []);
});

test('an existing file is kept without force, also one that came in the meantime', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'out');
  const file = OutputFile.create(path);
  writeFileSync(path, 'old');
  assert.throws(() => file.commit(), { code: 'exists' });
  assert.throws(() => OutputFile.create(path), { code: 'exists' });
  assert.deepEqual([readdirSync(dir), readFileSync(path, 'utf8')], [['out'], 'old']);
  const forced = OutputFile.create(path, { force: true });
  forced.write(0, ABC);
  assert.equal(readFileSync(path, 'utf8'), 'old');
  forced.commit();
  assert.equal(readFileSync(path, 'utf8'), 'abc');
});

test('a file that others must not read is never there for them, not even as a partial one', (t) => {
  const path = join(tempDir(t), 'out');
  using file = OutputFile.create(path, { mode: 0o600 });
  assert.equal(lstatSync(file.partialPath).mode & 0o777, 0o600);
  file.commit();
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
});

test('two outputs of one name do not meet, and a link in the place of the partial file is not followed', (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'out');
  writeFileSync(join(dir, 'victim'), 'precious');
  symlinkSync('victim', join(dir, `.out.${process.pid}.0.partial`));
  const [a, b] = [OutputFile.create(path), OutputFile.create(path)];
  a.write(0, ABC);
  b.write(0, Uint8Array.of(120));
  a.commit();
  assert.throws(() => b.commit(), { code: 'exists' });
  assert.equal(readFileSync(path, 'utf8'), 'abc');
  assert.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'precious');
});

const three = (dir: string, force: boolean): OutputFile[] =>
  ['a', 'b', 'c'].map((name) => {
    const file = OutputFile.create(join(dir, name), { force });
    file.write(0, ABC);
    return file;
  });
const contents = (dir: string): Record<string, string> =>
  Object.fromEntries(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name), 'latin1')]));

test('several outputs are there together', (t) => {
  const dir = tempDir(t);
  commitTogether(three(dir, false));
  assert.deepEqual(contents(dir), { a: 'abc', b: 'abc', c: 'abc' });
});

test('when one of several cannot have its name, none has, and what they would have replaced is there again', (t) => {
  const dir = tempDir(t);
  const fresh = three(dir, false);
  // Somebody else's, that came in the meantime.
  writeFileSync(join(dir, 'c'), 'other');
  assert.throws(() => commitTogether(fresh), { code: 'exists' });
  assert.deepEqual(contents(dir), { c: 'other' });
  writeFileSync(join(dir, 'a'), 'old');
  const forced = three(dir, true);
  rmSync(join(dir, 'c'));
  mkdirSync(join(dir, 'c'));
  assert.throws(() => commitTogether(forced));
  rmdirSync(join(dir, 'c'));
  assert.deepEqual(contents(dir), { a: 'old' });
  writeFileSync(join(dir, 'b'), 'old');
  commitTogether(three(dir, true));
  assert.deepEqual(contents(dir), { a: 'abc', b: 'abc', c: 'abc' });
});

test('a link in the place of the output is replaced and what it leads to is kept', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'target'), 'precious');
  const link = join(dir, 'link');
  symlinkSync('target', link);
  assert.throws(() => OutputFile.create(link), { code: 'exists' });
  const file = OutputFile.create(link, { force: true });
  file.write(0, ABC);
  file.commit();
  assert.deepEqual([lstatSync(link).isFile(), readFileSync(join(dir, 'target'), 'utf8')], [true, 'precious']);
});

test('a place where no file can go is refused', (t) => {
  const dir = tempDir(t);
  for (const force of [false, true]) {
    assert.throws(() => OutputFile.create(dir, { force }), { code: 'not_a_file' });
    assert.throws(() => OutputFile.create('/dev/null', { force }), { code: 'not_a_file' });
    assert.throws(() => OutputFile.create(join(dir, 'absent/out'), { force }), { code: 'not_found' });
  }
  using file = OutputFile.create(join(dir, 'é'.repeat(127)));
  file.commit();
});

test('a full file system is told of, and nothing is left', needsMountNamespace(), (t) => {
  const dir = tempDir(t);
  const script = `
    import { readdirSync } from 'node:fs';
    import { OutputFile } from '@vouchsafe/bytes/node';
    const file = OutputFile.create(process.argv[1] + '/out');
    try { for (let at = 0; at < 4e6; at += 65536) file.write(at, new Uint8Array(65536)); }
    catch (error) { console.log(error.code); }
    file.discard();
    console.log(readdirSync(process.argv[1]).length);`;
  const said = execFileSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs -o size=1m none "$1" && exec "$2" --input-type=module -e "$3" "$1"`,
      'sh',
      dir,
      process.execPath,
      script,
    ],
    { cwd: new URL('..', import.meta.url), encoding: 'utf8' },
  );
  assert.equal(said, 'no_space\n0\n');
});

const bytesOf = (path: string): string => readFileSync(path, 'latin1');

test('a region of a file is written where it is free, and freed when it is discarded', (t) => {
  const path = join(tempDir(t), 'disk');
  const before = `data${'\0'.repeat(10)}more`;
  writeFileSync(path, before, 'latin1');
  const region = openRegion({ path, offset: 6, length: 4, force: false });
  assert.equal(region.isInPlace, true);
  region.write(7, ABC);
  assert.equal(bytesOf(path), `data\0\0\0abc\0\0\0\0more`);
  region.discard();
  region.discard();
  assert.equal(bytesOf(path), before);
  const kept = openRegion({ path, offset: 6, length: 4, force: false });
  kept.write(6, ABC);
  kept.commit();
  assert.equal(bytesOf(path), `data\0\0abc\0\0\0\0\0more`);
  assert.throws(() => openRegion({ path, offset: 8, length: 4, force: false }), { code: 'exists' });
});

test('a region behind the end goes with the discard', (t) => {
  const path = join(tempDir(t), 'disk');
  writeFileSync(path, 'data');
  const region = openRegion({ path, offset: 100, length: 3, force: false });
  region.write(100, ABC);
  assert.equal(region.size(), 103);
  region.discard();
  assert.equal(bytesOf(path), 'data');
});

test('nothing outside the region can be written', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'disk'), 'data\0\0\0\0more');
  for (const [name, offset] of [
    ['disk', 4],
    ['new', 4],
  ] as const) {
    const region = openRegion({ path: join(dir, name), offset, length: 4, force: true });
    for (const at of [0, 3, 6, 8, Number.NaN]) {
      assert.throws(() => region.write(at, ABC), { code: 'out_of_range' });
    }
    region.write(5, ABC);
    region.commit();
  }
  assert.equal(bytesOf(join(dir, 'disk')), 'data\0abcmore');
});

test('a whole file is replaced at once, not in place', (t) => {
  const path = join(tempDir(t), 'out');
  writeFileSync(path, 'old content');
  assert.throws(() => openRegion({ path, offset: 0, length: 3, force: false }), { code: 'exists' });
  const region = openRegion({ path, offset: 0, length: 3, force: true });
  region.write(0, ABC);
  assert.equal(bytesOf(path), 'old content');
  using reader = region.reader(3);
  assert.equal(reader.size, 3);
  region.flush();
  region.commit();
  assert.equal(bytesOf(path), 'abc');
});

test('one file is known by any of its names, before it is there too', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'real'));
  symlinkSync('real', join(dir, 'alias'));
  writeFileSync(join(dir, 'real/a'), '');
  linkSync(join(dir, 'real/a'), join(dir, 'hard'));
  assert.ok(isSameFile(join(dir, 'real/a'), join(dir, 'alias/a')));
  assert.ok(isSameFile(join(dir, 'real/a'), join(dir, 'hard')));
  assert.ok(isSameFile(join(dir, 'real/new'), join(dir, 'alias/../alias/new')));
  assert.ok(!isSameFile(join(dir, 'real/new'), join(dir, 'real/other')));
  assert.ok(!isSameFile(join(dir, 'real/a'), join(dir, 'real/new')));
  assert.ok(!isSameFile(join(dir, 'absent/a'), join(dir, 'missing/a')));
});

test('a device is written as far as it goes, and its size is known', needsTool('losetup'), (t) => {
  if (process.getuid?.() !== 0) return t.skip('missing tool: root');
  const dir = tempDir(t);
  writeFileSync(join(dir, 'backing'), new Uint8Array(64 * 1024));
  let device: string;
  try {
    device = execFileSync('losetup', ['--find', '--show', join(dir, 'backing')], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return t.skip('missing tool: loop devices');
  }
  const path = device.trim();
  t.after(() => execFileSync('losetup', ['--detach', path]));
  assert.throws(() => openRegion({ path, offset: 0, length: 65_537, force: true }), { code: 'no_space' });
  const region = openRegion({ path, offset: 0, length: 4096, force: false });
  assert.equal(region.size(), 65_536);
  region.write(0, ABC);
  region.discard();
  assert.equal(
    readFileSync(path).findIndex((byte) => byte !== 0),
    -1,
  );
});
