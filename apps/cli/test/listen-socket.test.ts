// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tempDir } from '@vouchsafe/testing';
import { listenOnSocket } from '../src/agent/listen-socket.ts';

function newServer(t: TestContext): Server {
  const server = createServer();
  t.after(() => void server.close());
  return server;
}

test('a socket is for its owner alone from its first moment on, whatever the mask', async (t) => {
  const path = join(tempDir(t), 'proxy.sock');
  const mask = process.umask(0);
  t.after(() => process.umask(mask));
  const server = newServer(t);
  const listening = listenOnSocket(server, path);
  // Before the event loop turns: nobody could have connected yet.
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  await listening;
  assert.equal(lstatSync(path).mode & 0o777, 0o600);
  assert.equal(process.umask(), 0, 'the mask is as before');
});

test('a socket of a run before gives way; a file, a folder and a link stay as they are', async (t) => {
  const dir = tempDir(t);
  const old = join(dir, 'old.sock');
  await listenOnSocket(newServer(t), old);
  const next = newServer(t);
  await listenOnSocket(next, old);
  assert.equal(next.listening, true);
  writeFileSync(join(dir, 'file'), 'ten years of work');
  mkdirSync(join(dir, 'folder'));
  symlinkSync(join(dir, 'file'), join(dir, 'link'));
  for (const name of ['file', 'folder', 'link']) {
    await assert.rejects(listenOnSocket(newServer(t), join(dir, name)), { code: 'proxy_unfit' }, name);
  }
  assert.equal(readFileSync(join(dir, 'link'), 'utf8'), 'ten years of work');
  await assert.rejects(listenOnSocket(newServer(t), join(dir, 'no', 'such', 'folder.sock')));
  await once(next.close(), 'close');
});
