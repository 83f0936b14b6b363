// SPDX-License-Identifier: Apache-2.0
import { Agent, type RequestOptions, request } from 'node:https';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they know is there
  readonly body: any;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface CallOptions {
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** Octets in place of a JSON body. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Client {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): void;
}

/** Speaks HTTPS over kept connections and trusts the given authority alone. */
export function createClient(url: string, tls: Pick<RequestOptions, 'ca' | 'cert' | 'key'>): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ...tls });
  return {
    call: (method, path, { token, body, raw, headers = {} } = {}) =>
      new Promise((resolve, reject) => {
        const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
        const outgoing = request(
          `${url}${path}`,
          {
            method,
            agent,
            headers: {
              ...(payload === undefined
                ? {}
                : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
              ...headers,
            },
          },
          (incoming) => {
            // A stream of events has no end.
            if (incoming.headers['content-type'] === 'text/event-stream') {
              resolve({ status: incoming.statusCode ?? 0, body: undefined, headers: incoming.headers });
              incoming.destroy();
              return;
            }
            const chunks: Buffer[] = [];
            incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
            incoming.on('error', reject);
            incoming.on('end', () => {
              const text = Buffer.concat(chunks).toString('utf8');
              const isJson = /json(;|$)/.test(incoming.headers['content-type'] ?? '');
              resolve({
                status: incoming.statusCode ?? 0,
                body: text === '' ? undefined : isJson ? JSON.parse(text) : text,
                headers: incoming.headers,
              });
            });
          },
        );
        outgoing.on('error', reject);
        outgoing.end(payload);
      }),
    close: () => agent.destroy(),
  };
}
