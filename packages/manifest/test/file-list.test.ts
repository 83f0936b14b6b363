// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUtf8, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { encodeFileList, type FileList, partOf, requirePart, verifyFileList } from '@vouchsafe/manifest';

const file = (path: string): FileList['files'][number] => ({
  path,
  sizeBytes: 3,
  sha256: 'ab'.repeat(32),
  isExecutable: false,
});
const codeOf = (code: string) => ({ name: 'ManifestError', code });

test('a list is read by whoever has the manifest that names it, sorted whatever it was made from', () => {
  const { bytes, part } = encodeFileList(
    { of: 'initrd', files: [file('/init'), file('/bin/sh')] },
    'initrd.files.json',
  );
  assert.deepEqual(
    verifyFileList(part, bytes).files.map(({ path }) => path),
    ['/bin/sh', '/init'],
  );
  assert.deepEqual([part.kind, part.of, part.sizeBytes], ['files', 'initrd', bytes.length]);
  assert.deepEqual(
    encodeFileList({ of: 'initrd', files: [file('/bin/sh'), file('/init')] }, 'initrd.files.json').bytes,
    bytes,
  );
});

test('other bytes are refused, however alike', () => {
  const { bytes, part } = encodeFileList({ of: 'root', files: [file('/a')] }, 'root.files.json');
  assert.throws(() => verifyFileList(part, utf8(`${parseUtf8(bytes)} `)), codeOf('part_mismatch'));
  const changed = bytes.slice();
  changed[20] = (changed[20] as number) ^ 1;
  assert.throws(() => verifyFileList(part, changed), codeOf('part_mismatch'));
  const { bytes: others } = encodeFileList({ of: 'initrd', files: [file('/a')] }, 'x');
  const renamed = partOf({ kind: 'files', of: 'root', format: part.format }, 'x', others);
  assert.throws(() => verifyFileList(renamed, others), codeOf('part_mismatch'));
});

test('paths are those of the running system: absolute', () => {
  assert.throws(() => encodeFileList({ of: 'root', files: [file('bin/sh')] }, 'x'), {
    code: 'manifest_malformed',
    path: '/files/0/path',
  });
});

test('a list that is not one is refused, whatever is wrong with it', () => {
  const good = sorted(file('/a'));
  const { sha256: _, ...without } = good;
  const files: readonly unknown[] = [
    ...[1, null, {}, [], without, { ...good, tail: 1 }],
    ...['a', '', 1, `/${'a'.repeat(4096)}`].map((path) => ({ ...good, path })),
    ...[-1, 0.5, '1', 2 ** 53].map((sizeBytes) => ({ ...good, sizeBytes })),
    ...['', 'A'.repeat(64), `${'a'.repeat(64)}\n`, 1].map((sha256) => ({ ...good, sha256 })),
    { ...good, isExecutable: 1 },
  ];
  const documents: readonly unknown[] = [
    ...files.map((one) => ({ files: [one], of: 'root' })),
    ...[null, 1, [], {}, { of: 'root' }, { files: [good] }, { files: [good], of: '' }, { files: {}, of: 'root' }],
    { files: [good], more: 1, of: 'root' },
  ];
  for (const document of documents) {
    const bytes = utf8(JSON.stringify(document));
    const part = partOf({ kind: 'files', of: 'root', format: 'vouchsafe-files-1' }, 'x', bytes);
    assert.throws(() => verifyFileList(part, bytes), codeOf('manifest_malformed'), JSON.stringify(document));
  }
});

test('a path stands in a list once', () => {
  assert.throws(
    () => encodeFileList({ of: 'root', files: [file('/a'), file('/a')] }, 'x'),
    codeOf('manifest_malformed'),
  );
  const unordered = utf8(JSON.stringify({ files: ['/b', '/a'].map((path) => sorted(file(path))), of: 'root' }));
  const part = partOf({ kind: 'files', of: 'root', format: 'vouchsafe-files-1' }, 'x', unordered);
  assert.throws(() => verifyFileList(part, unordered), { code: 'manifest_malformed', path: '/files/1/path' });
});

const sorted = ({ isExecutable, path, sha256, sizeBytes }: FileList['files'][number]) => ({
  isExecutable,
  path,
  sha256,
  sizeBytes,
});

test('any part is named by its size and digest', () => {
  const bytes = utf8('{"spdxVersion":"SPDX-2.3"}');
  const part = partOf({ kind: 'packages', of: 'root', format: 'spdx-2.3+json' }, 'root.spdx.json', bytes);
  assert.equal(part.sha256, Buffer.from(digest('sha256', bytes)).toString('hex'));
  requirePart(part, bytes);
  assert.throws(() => requirePart(part, bytes.subarray(1)), codeOf('part_mismatch'));
});
