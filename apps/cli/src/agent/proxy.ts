// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError, forwardProxy, type ProxyTarget, serviceManager } from '@vouchsafe/agent';
import { hostError } from '@vouchsafe/bytes/node';
import type { Command } from '../arguments/command.ts';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';
import { collect } from '../parse.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { stateOption } from './agent-options.ts';
import { listenOnSocket } from './listen-socket.ts';

type ListenPlace = { readonly path: string } | { readonly host: string; readonly port: number };

interface ProxyOptions {
  readonly state: string;
  readonly listen: ListenPlace;
  readonly to?: readonly ProxyTarget[];
  readonly ca?: string;
  readonly tcti?: string;
}

const DEFAULT_LISTEN = { host: '127.0.0.1', port: 8118 } as const;

/** The loopback alone: whoever reaches the proxy acts as this machine. */
function listenPlace(text: string): ListenPlace {
  if (text.startsWith('/')) return { path: text };
  const [, host = '127.0.0.1', port = ''] = /^(?:(127\.0\.0\.1|\[::1\]|localhost):)?([0-9]{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) {
    throw new InvalidArgumentError('Expected a port, 127.0.0.1:PORT or [::1]:PORT, or the absolute path of a socket.');
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function proxyTargets(text: string, earlier: readonly ProxyTarget[] = []): readonly ProxyTarget[] {
  const parts = /^(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?$/.exec(text);
  if (parts === null) throw new InvalidArgumentError('Expected HOST or HOST:PORT.');
  return collect(
    { host: (parts[1] ?? '').replace(/^\[|\]$/g, '').toLowerCase(), port: Number(parts[2] ?? 443) },
    earlier,
  );
}

export const proxy: Verb = {
  define(command: Command, session) {
    command
      .description(
        "Lends this machine's client certificate to programs that cannot use a key in a TPM: a proxy for http:// addresses on the loopback, which asks the server by TLS. Needs OpenSSL 3 with its provider tpm2, and tpm2-abrmd (Debian: tpm2-openssl, libtss2-tcti-tabrmd0).",
      )
      .addOption(stateOption())
      .option('--listen <place>', 'port or socket to listen on', listenPlace, DEFAULT_LISTEN)
      .option(
        '--to <host>',
        'a server that may be asked, HOST or HOST:PORT (default: port 443); may be repeated',
        proxyTargets,
      )
      .option('--ca <file>', "authorities of the servers' certificates, PEM (default: the system's)")
      .option('--tcti <name>', 'where the TPM is, for the provider (default: TPM2OPENSSL_TCTI, else the device)')
      .option('--json', 'print where it listens as one JSON document')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe agent proxy --to files.example --tcti tabrmd:bus_type=system & http_proxy=http://127.0.0.1:8118 curl http://files.example/',
      )
      .action((options: ProxyOptions) => run(session, options));
  },
};

async function run(session: Session, { state, listen, to = [], ca, tcti }: ProxyOptions): Promise<void> {
  if (to.length === 0)
    throw new UsageError('--to is needed: the servers that may be asked in the name of this machine');
  if (!existsSync(join(state, 'client.crt'))) {
    throw new AgentError(
      'proxy_unfit',
      `${state}: expected a client certificate, found none; agent attest asks for one`,
    );
  }
  const place = tcti ?? process.env['TPM2OPENSSL_TCTI'];
  const server = forwardProxy({
    folder: state,
    targets: to,
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(place === undefined ? {} : { tcti: place }),
  });
  // A socket has permissions, where a port is open to all users of this machine.
  if ('path' in listen) await listenOnSocket(server, listen.path);
  else {
    await once(server.listen(listen), 'listening').catch((cause: unknown) => {
      throw hostError(`${listen.host}:${listen.port}`, cause);
    });
  }
  const address = server.address();
  const shown = typeof address === 'string' ? address : `${address?.address}:${address?.port}`;
  session.answer(`listening on ${shown}`, { address: shown });
  const manager = serviceManager();
  manager.ready();
  await Promise.race((['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((signal) => once(process, signal)));
  manager.stopping();
  server.closeAllConnections();
  server.close();
}
