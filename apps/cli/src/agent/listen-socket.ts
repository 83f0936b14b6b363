// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { AgentError } from '@vouchsafe/agent';
import { hostError } from '@vouchsafe/bytes/node';

const NOT_OTHERS = 0o177;

/**
 * Listens on a socket that its owner alone can reach, from its first moment on: it is made under a mask, and not changed
 * afterwards. One of a run before, which nobody serves any more, gives way; anything else stays.
 * @throws {AgentError} 'proxy_unfit' for something else at that place; {BytesError}
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket() === false) {
    throw new AgentError(
      'proxy_unfit',
      `${path}: expected a socket or nothing, found something else; it stays as it is`,
    );
  }
  if (found !== undefined) rmSync(path);
  const before = process.umask(NOT_OTHERS);
  try {
    // The socket is made in this call, and told of afterwards.
    server.listen(path);
  } finally {
    process.umask(before);
  }
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw hostError(path, cause);
  }
}
