// SPDX-License-Identifier: Apache-2.0
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { concatBytes } from '@vouchsafe/base';
import { TpmError } from '../error.ts';
import type { OpenTpm } from './device-transport.ts';
import { requireResponse, responseSize } from './response.ts';
import { exchangeUntilDone } from './retry.ts';

/** Where swtpm listens: a Unix socket, or a TCP port. */
export type SwtpmAddress = { readonly path: string } | { readonly host: string; readonly port: number };

export interface SocketOptions {
  /** Milliseconds that one answer may take. */
  readonly timeoutMs?: number;
}

/** A TPM takes up to minutes to make an RSA key; no command takes longer. */
const RESPONSE_TIMEOUT_MS = 300_000;

/**
 * swtpm's data channel: commands and responses as they are, one after the other; a command waits until those before it
 * are answered. swtpm serves one connection at a time: whoever comes second waits until the first has closed.
 * @throws {TpmError} 'io'
 */
export async function openSwtpm(address: SwtpmAddress, options: SocketOptions = {}): Promise<OpenTpm> {
  const label = 'path' in address ? address.path : `${address.host}:${address.port}`;
  const socket = await openSocket(address, label);
  const stream = new RequestStream(socket, label, options.timeoutMs ?? RESPONSE_TIMEOUT_MS);
  const exchange = (command: Uint8Array): Promise<Uint8Array> => stream.ask(command, wholeResponse);
  return { send: (command) => exchangeUntilDone(exchange, command), close: () => stream.close() };
}

function wholeResponse(received: Uint8Array): Uint8Array | undefined {
  const size = responseSize(received);
  return size === undefined || received.length < size ? undefined : requireResponse(received);
}

/**
 * Connects.
 * @throws {TpmError} 'io'
 */
export async function openSocket(address: SwtpmAddress, label: string): Promise<Socket> {
  const socket = connect({ ...address } as NetConnectOpts);
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: Error): void => reject(ioError(label, cause));
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve();
    });
  });
  return socket;
}

function ioError(label: string, cause?: unknown): TpmError {
  return new TpmError('io', `${label}: expected a software TPM that answers; check that swtpm runs`, { cause });
}

/** Takes the answer out of what has come so far: undefined while it is not whole; it throws when it never will be. */
type TakeAnswer = (received: Uint8Array) => Uint8Array | undefined;

/**
 * Questions and answers on one socket, strictly in turn. After a time-out, a hang-up or an answer that is none, nobody
 * knows to which question the next octets belong: the socket is closed, and every later question fails.
 */
export class RequestStream {
  readonly #socket: Socket;
  readonly #label: string;
  readonly #timeoutMs: number;
  #failure: Error | undefined;
  #isClosed = false;
  #turn: Promise<unknown> = Promise.resolve();
  #onData: ((chunk: Uint8Array) => void) | undefined;
  #onFailure: ((error: Error) => void) | undefined;

  constructor(socket: Socket, label: string, timeoutMs: number) {
    this.#socket = socket;
    this.#label = label;
    this.#timeoutMs = timeoutMs;
    socket.on('error', (cause) => this.#fail(ioError(label, cause)));
    socket.on('close', () => this.#fail(ioError(label)));
    socket.on('data', (chunk) => {
      if (this.#onData !== undefined) this.#onData(chunk);
      else this.#fail(new TpmError('response_malformed', `${label}: expected no answer where nothing was asked`));
    });
  }

  /** @throws {TpmError} 'io', 'response_malformed' */
  ask(question: Uint8Array, take: TakeAnswer): Promise<Uint8Array> {
    const answer = this.#turn.then(() => this.#exchange(question, take));
    this.#turn = answer.catch(() => {}); // the next one finds out by itself
    return answer;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const ended = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    if (this.#socket.destroyed) return;
    this.#socket.end();
    await ended;
  }

  #exchange(question: Uint8Array, take: TakeAnswer): Promise<Uint8Array> {
    if (this.#failure !== undefined) {
      const message = `${this.#label}: expected an open connection, found one that has failed; open another`;
      return Promise.reject(new TpmError('io', message, { cause: this.#failure }));
    }
    return new Promise((resolve, reject) => {
      let received: Uint8Array = new Uint8Array();
      const timer = setTimeout(() => this.#fail(ioError(this.#label)), this.#timeoutMs);
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.#onData = undefined;
        this.#onFailure = undefined;
        settle();
      };
      this.#onFailure = (error) => done(() => reject(error));
      this.#onData = (chunk) => {
        received = concatBytes(received, chunk);
        let answer: Uint8Array | undefined;
        try {
          answer = take(received);
        } catch (error) {
          this.#fail(error as Error);
          return;
        }
        if (answer !== undefined) done(() => resolve(answer));
      };
      this.#socket.write(question);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    this.#onFailure?.(error);
  }
}
