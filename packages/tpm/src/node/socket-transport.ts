// SPDX-License-Identifier: Apache-2.0
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { concatBytes } from '@vouchsafe/base';
import { TpmError } from '../error.ts';
import type { OpenTpm } from './device-transport.ts';
import { requireResponse, responseSize } from './response.ts';

/** Where swtpm listens: a Unix socket, or a TCP port. */
export type SwtpmAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** A TPM makes an RSA key in up to minutes; PC Client Platform TPM Profile, section 5.5.1, has no longer command. */
const RESPONSE_TIMEOUT_MS = 300_000;

/**
 * swtpm's data channel: commands and responses as they are, one after the other.
 * @throws {TpmError} 'io'
 */
export async function openSwtpm(address: SwtpmAddress): Promise<OpenTpm> {
  const label = 'path' in address ? address.path : `${address.host}:${address.port}`;
  const socket = connect({ ...address } as NetConnectOpts);
  await settled(socket, 'connect', label);
  socket.on('error', () => {}); // reported to whoever waits for a response, below
  return {
    send: (command) => exchange(socket, command, label),
    close: () => new Promise((resolve) => socket.end(() => resolve())),
  };
}

const failed = (label: string, cause?: unknown): TpmError =>
  new TpmError('io', `${label}: expected a software TPM that answers; check that swtpm runs`, { cause });

function settled(socket: Socket, event: 'connect', label: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(failed(label, cause));
    socket.once('error', onError);
    socket.once(event, () => {
      socket.off('error', onError);
      resolve();
    });
  });
}

function exchange(socket: Socket, command: Uint8Array, label: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let received: Uint8Array = new Uint8Array();
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('error', onError).off('close', onError);
      settle();
    };
    const onError = (cause?: unknown): void => finish(() => reject(failed(label, cause)));
    const onData = (chunk: Uint8Array): void => {
      try {
        received = concatBytes(received, chunk);
        const size = responseSize(received);
        if (size !== undefined && received.length >= size) {
          const response = requireResponse(received);
          finish(() => resolve(response));
        }
      } catch (error) {
        finish(() => reject(error));
      }
    };
    const timer = setTimeout(onError, RESPONSE_TIMEOUT_MS);
    socket.on('data', onData).on('error', onError).on('close', onError);
    socket.write(command);
  });
}
