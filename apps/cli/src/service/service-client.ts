// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { checkMessage, ProtocolError, problem } from '@vouchsafe/protocol';
import type { Static, TSchema } from 'typebox';
import { ServiceClientError } from './error.ts';
import type { ServiceFile } from './service-file.ts';

const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_PAGES = 100_000;

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A page of a list, as the service gives it. */
interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/**
 * The service's interface for operators, over HTTPS on one connection, with no authority trusted but the one of the file.
 * Everything throws {ServiceClientError}.
 */
export class ServiceClient implements Disposable {
  readonly #file: ServiceFile;
  readonly #agent: Agent;

  constructor(file: ServiceFile) {
    this.#file = file;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 1,
      ca: file.ca,
      // The pinned certificate may be an intermediate one, or the service's own.
      allowPartialTrustChain: true,
      minVersion: 'TLSv1.2',
    });
  }

  async get<S extends TSchema>(schema: S, path: string): Promise<Static<S>> {
    return this.#checked(schema, path, await this.#exchange('GET', path));
  }

  /** All items of a list, page after page. */
  async list<T>(schema: TSchema, path: string): Promise<T[]> {
    const items: T[] = [];
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const separator = path.includes('?') ? '&' : '?';
      const at = after === undefined ? path : `${path}${separator}after=${encodeURIComponent(after)}`;
      const found = (await this.get(schema, at)) as Page<T>;
      items.push(...found.items);
      if (found.next === undefined || found.next === after) return items;
      after = found.next;
    }
    throw new ServiceClientError('service_answer', `${path}: expected a list with an end, found none`);
  }

  async send<S extends TSchema>(schema: S, method: 'POST' | 'PUT', path: string, body: unknown): Promise<Static<S>> {
    return this.#checked(schema, path, await this.#exchange(method, path, body));
  }

  /** For what is answered by its status alone, or by something that is not looked at. */
  async act(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<void> {
    await this.#exchange(method, path, body);
  }

  /** An answer as it is, in whatever form. */
  async text(path: string): Promise<string> {
    return this.#exchange('GET', path);
  }

  /** An answer of any length as it comes; it ends whole or throws. */
  async *stream(path: string): AsyncGenerator<Uint8Array> {
    const response = await this.#open('GET', path, undefined, 'idle');
    const { statusCode: status = 0 } = response;
    if (status < 200 || status >= 300) {
      const text = await collect(response).catch((cause: unknown) =>
        Promise.reject(unreachable(this.#file.url, cause)),
      );
      throw new ServiceClientError('service_refused', refusalText('GET', path, status, text));
    }
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) yield chunk;
      if (!response.complete) throw new Error('the answer was cut short');
    } catch (cause) {
      throw unreachable(this.#file.url, cause);
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #checked<S extends TSchema>(schema: S, path: string, text: string): Static<S> {
    try {
      return checkMessage(schema, JSON.parse(text));
    } catch (cause) {
      if (!(cause instanceof ProtocolError || cause instanceof SyntaxError)) throw cause;
      const message = `${this.#file.url}${path}: expected an answer as this version knows it, found another: ${cause.message}`;
      throw new ServiceClientError('service_answer', message, { cause });
    }
  }

  /** @returns the body of an answer that is a success. */
  async #exchange(method: Method, path: string, body?: unknown): Promise<string> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const { status, text } = await this.#send(method, path, sent);
    if (status >= 200 && status < 300) return text;
    throw new ServiceClientError('service_refused', refusalText(method, path, status, text));
  }

  async #send(method: Method, path: string, body: string | undefined): Promise<{ status: number; text: string }> {
    const response = await this.#open(method, path, body, 'whole');
    try {
      return { status: response.statusCode ?? 0, text: await collect(response) };
    } catch (cause) {
      throw unreachable(this.#file.url, cause);
    }
  }

  /** @param limited what may take a minute at most: the exchange, or any pause in it. */
  #open(method: Method, path: string, body: string | undefined, limited: 'whole' | 'idle'): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { url, token } = this.#file;
      const sent = request(new URL(path, url), {
        agent: this.#agent,
        method,
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
        ...(limited === 'whole' ? { signal: AbortSignal.timeout(TIMEOUT_MS) } : {}),
      });
      sent.setTimeout(TIMEOUT_MS, () => sent.destroy(new Error('nothing came for a minute')));
      sent.once('error', (cause) => reject(unreachable(url, cause)));
      sent.once('response', resolve);
      sent.end(body);
    });
  }
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES / 2 ** 20} MiB`);
  }
  if (!response.complete) throw new Error('the answer was cut short');
  return Buffer.concat(chunks).toString('utf8');
}

function refusalText(method: Method, path: string, status: number, text: string): string {
  let body: unknown;
  try {
    body = checkMessage(problem, JSON.parse(text));
  } catch {
    return `${method} ${path}: the service refused with status ${status}`;
  }
  const { code, title, detail } = body as { code: string; title: string; detail?: string };
  return `${title} (${code})${detail === undefined ? '' : `: ${detail}`}`;
}

/** OpenSSL's and Node's words for a certificate that is not to be taken. */
const UNTRUSTED = /^(ERR_TLS_CERT|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|HOSTNAME_MISMATCH)/;

function unreachable(url: string, cause: unknown): ServiceClientError {
  const { code = '', message = String(cause) } = (cause ?? {}) as { readonly code?: string; readonly message?: string };
  if (UNTRUSTED.test(code)) {
    const text = `${url}: expected a certificate of the service's own authority, found another (${code}); is this the right file, and the clock right?`;
    return new ServiceClientError('service_untrusted', text, { cause });
  }
  const text = `${url}: expected an answer, found none (${code === '' ? message : `${code}: ${message}`}); is the service running?`;
  return new ServiceClientError('service_unreachable', text, { cause });
}
