// SPDX-License-Identifier: Apache-2.0
import {
  createServer,
  Agent as HttpAgent,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { connectWithTpmKey, type TpmTlsOptions } from './openssl-connection.ts';

/** A server that may be asked in this machine's name. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

export interface ForwardProxyOptions extends TpmTlsOptions {
  /** No other servers are asked: the proxy lends this machine's identity to whoever reaches it. */
  readonly targets: readonly ProxyTarget[];
}

const DEFAULT_PORT = 443;
/** Handshakes with the TPM are slow: a connection is kept for the next request. */
const MAX_IDLE = 4;

/** For one connection alone: RFC 9110, 7.6.1, and what proxies are told. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A forward proxy for programs that cannot use a key in the TPM: they ask it for `http://HOST/…` (RFC 9112, 3.2.2) and it
 * asks HOST over TLS, with this machine's client certificate. It takes no other form of request: a page in a browser could
 * make the others.
 */
export function forwardProxy(options: ForwardProxyOptions): Server {
  const connections = new TpmTlsConnections(options);
  const server = createServer((incoming, response) => forward(connections, options.targets, incoming, response));
  server.on('connect', (_request, socket) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, POST\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  server.once('close', () => connections.destroy());
  return server;
}

/** Node's own pool of connections, over processes of OpenSSL instead of sockets. */
class TpmTlsConnections extends HttpAgent {
  readonly #options: TpmTlsOptions;

  constructor(options: TpmTlsOptions) {
    super({ keepAlive: true, maxFreeSockets: MAX_IDLE });
    this.#options = options;
  }

  override createConnection(target: { host?: string | null; port?: number | string | null }): Duplex {
    return connectWithTpmKey(String(target.host), Number(target.port), this.#options);
  }

  // What Node does here is for sockets alone.
  override keepSocketAlive(): boolean {
    return true;
  }
  override reuseSocket(): void {}
}

function forward(
  agent: HttpAgent,
  targets: readonly ProxyTarget[],
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  const refuse = (status: number, text: string): void => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`vouchsafe agent proxy: ${text}\n`);
  };
  const url = absoluteHttp(incoming.url ?? '');
  if (url === undefined) {
    refuse(
      400,
      'expected a request for http://HOST/…; set http_proxy to this address and ask for the address with http://',
    );
    return;
  }
  const [host, port] = [url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || DEFAULT_PORT)];
  if (!targets.some((target) => target.host === host && target.port === port)) {
    refuse(403, `${host}:${port} is not one of the servers that were named with --to`);
    return;
  }
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !isHopByHop(name, incoming)));
  const outgoing = request({
    agent,
    host,
    port,
    method: incoming.method,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.port === '' ? url.hostname : url.host },
  });
  outgoing.once('response', (answer) => {
    const kept = Object.entries(answer.headers).filter(([name]) => !isHopByHop(name, answer));
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  outgoing.once('error', (error) => refuse(502, `${host}:${port}: ${error.message}`));
  response.once('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

function absoluteHttp(text: string): URL | undefined {
  if (!text.startsWith('http://') || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' ? url : undefined;
}

/** Also what Connection names. */
function isHopByHop(name: string, { headers }: IncomingMessage): boolean {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(/[\s,]+/);
  return HOP_BY_HOP.has(name) || named.includes(name);
}
