// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { openTree } from '@vouchsafe/disk/node';
import { tempDir } from '@vouchsafe/testing';
import { DigestThread } from '../src/build/digest-thread.ts';
import { opened } from './made-disk.ts';

/** More than is read at a time, and no multiple of it. */
const OCTETS = Buffer.alloc(1_000_003, 'octets that are not all the same');
const sha256 = (octets: Uint8Array): string => toHex(digest('sha256', octets));

test('digests of an open file and of the files of a folder, from another thread', async (t) => {
  const folder = tempDir(t);
  writeFileSync(join(folder, 'large'), OCTETS);
  writeFileSync(join(folder, 'small'), 'small');
  using tree = await openTree(folder, {}, 'folder');
  const contents = tree.entries.flatMap((entry) => (entry.kind === 'file' ? [entry.content] : []));
  const memory = memorySource(utf8('in memory'), 'memory');
  await using thread = new DigestThread();
  const [whole, ofFiles] = await Promise.all([
    thread.sha256(opened(t, join(folder, 'large'))),
    thread.sha256OfFiles([...contents, memory]),
  ]);
  assert.equal(whole, sha256(OCTETS));
  // What is in no file of a folder is for this thread.
  assert.deepEqual(
    [...ofFiles],
    [
      [contents[0], sha256(OCTETS)],
      [contents[1], sha256(utf8('small'))],
    ],
  );
});

test('what the thread cannot read is left to this one, which says why', async (t) => {
  const folder = tempDir(t);
  const path = join(folder, 'file');
  writeFileSync(path, OCTETS);
  const file = opened(t, path);
  using tree = await openTree(folder, {}, 'folder');
  const contents = tree.entries.flatMap((entry) => (entry.kind === 'file' ? [entry.content] : []));
  truncateSync(path, 1000);
  await using thread = new DigestThread();
  assert.equal((await thread.sha256OfFiles(contents)).size, 0);
  await assert.rejects(thread.sha256(file), { code: 'short_read' });
});
