// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { AgentError } from '../error.ts';
import type { Transport } from './transport.ts';

/** From the first octet out to the last one in. An appraisal takes milliseconds, a slow line seconds. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Between two attestations, so that the next one spares the handshake, which costs the service ten times the request. */
const KEEP_ALIVE_MS = 120_000;
/** Sixteen secrets of a megabyte each, and what goes with them. */
const MAX_ANSWER_BYTES = 24 * 1024 * 1024;

export interface HttpsOptions {
  /** The origin: `https://host:port`. */
  readonly url: string;
  /** PEM of the only certificates that the service's chain may lead to. */
  readonly ca: string;
  readonly timeoutMs?: number;
}

/** HTTPS on one connection that is kept, with the service's certificate checked against the given authority alone. */
export function httpsTransport({ url, ca, timeoutMs = REQUEST_TIMEOUT_MS }: HttpsOptions): Transport {
  const connections = new Agent({
    keepAlive: true,
    keepAliveMsecs: KEEP_ALIVE_MS,
    maxSockets: 1,
    // Sessions resume, so that a connection that was closed meanwhile costs less.
    maxCachedSessions: 1,
    ca,
    // The pinned certificate may be an intermediate one, or the service's own.
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.2',
  });
  return {
    post: async (path, body) => {
      const target = new URL(path, url);
      const sent = JSON.stringify(body);
      const { status, headers, text } = await exchange(connections, target, sent, timeoutMs).catch((error: unknown) => {
        // A connection that was kept may have been closed at the other end as this was sent.
        if (error instanceof StaleConnection) return exchange(connections, target, sent, timeoutMs);
        throw error;
      });
      const retryAfterMs = retryAfter(headers['retry-after']);
      return {
        status,
        body: parsed(url, text),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    },
    close: () => connections.destroy(),
  };
}

/** The other end had closed a kept connection before it saw the request. */
class StaleConnection extends Error {}

interface Exchanged {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

function exchange(agent: Agent, url: URL, body: string, timeoutMs: number): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json',
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const fail = (cause: unknown): void => {
      const isStale = sent.reusedSocket && (cause as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (cause instanceof AgentError) reject(cause);
      else reject(isStale ? new StaleConnection() : unreachable(url.origin, cause));
    };
    sent.once('error', fail);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) {
          response.destroy(malformed(url.origin, `more than ${MAX_ANSWER_BYTES / (1024 * 1024)} MiB`));
        }
      });
      response.once('error', fail);
      response.once('end', () => {
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.complete) resolve({ status, headers: response.headers, text });
        else fail(new Error('the answer was cut short'));
      });
    });
    sent.end(body);
  });
}

function parsed(url: string, text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(url, 'something else');
  }
}

const malformed = (url: string, found: string): AgentError =>
  new AgentError('answer_malformed', `${url}: expected an answer in JSON, found ${found}`);

/** RFC 9110, 10.2.3, in its form of seconds; the other form needs the service's clock. */
function retryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^[0-9]{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** OpenSSL's and Node's words for a certificate that is not to be taken; the rest is a connection that did not come about. */
const UNTRUSTED =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_.*|UNABLE_TO_.*|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|ERROR_IN_CERT_.*|PATH_LENGTH_EXCEEDED)$/;

/** What Node.js says of a connection that failed, in the two kinds that the agent treats differently. */
export function unreachable(origin: string, cause: unknown): AgentError {
  const { code = '', message = String(cause) } = (cause ?? {}) as { readonly code?: string; readonly message?: string };
  if (UNTRUSTED.test(code))
    return new AgentError('server_untrusted', `${origin}: ${untrusted(code, message)}`, { cause });
  const reason = code === '' ? message : `${code}: ${message}`;
  return new AgentError('server_unreachable', `${origin}: expected an answer, found none (${reason})`, { cause });
}

function untrusted(code: string, message: string): string {
  if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED') {
    return `expected a certificate that is valid now, found one that is not (${code}); is the clock right? It says ${new Date().toISOString()}`;
  }
  return `expected a certificate from the pinned authority for this name, found another (${code}: ${message})`;
}
