// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:net';
import { addressKey } from './address-key.ts';

/** Closes connections beyond a number, and beyond a number from one address, before anything is read of them. */
export function limitConnections(server: Server, all: number, ofAddress: number): void {
  server.maxConnections = all;
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const address = addressKey(socket.remoteAddress ?? '');
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
    if (count > ofAddress) socket.destroy();
  });
}
