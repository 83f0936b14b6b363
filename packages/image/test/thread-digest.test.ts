// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { tempDir } from '@vouchsafe/testing';
import { ThreadDigest } from '../src/build/thread-digest.ts';
import { opened } from './made-disk.ts';

/** More than is read at a time, and no multiple of it. */
const OCTETS = Buffer.alloc(1_000_003, 'octets that are not all the same');

test('the digest of a file, from another thread', async (t) => {
  const path = join(tempDir(t), 'file');
  writeFileSync(path, OCTETS);
  await using running = ThreadDigest.start(opened(t, path));
  assert.equal(await running.sha256(), toHex(digest('sha256', OCTETS)));
});

test('what the thread cannot read is an error here', async (t) => {
  const path = join(tempDir(t), 'file');
  writeFileSync(path, OCTETS);
  const file = opened(t, path);
  truncateSync(path, 1000);
  await using running = ThreadDigest.start(file);
  await assert.rejects(running.sha256(), { code: 'short_read' });
});
