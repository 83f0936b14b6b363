// SPDX-License-Identifier: Apache-2.0
// What the machines want to reach: a program behind two real nginx, of which one asks the service at each request and the other
// goes by the revocation list alone. Their configurations are those of docs/tasks/grant-access.
import { HOST_ADDRESS } from '@vouchsafe/lab';
import { createClient } from '@vouchsafe/server/test-support/client';
import { proxyFiles, runHook, startApp, startNginx } from '@vouchsafe/server/test-support/proxy';
import { bodyOf, type ServedService } from './served-service.ts';

type Hooks = { after(fn: () => Promise<void> | void): void };

export interface WebSite {
  /** Ports of the one that asks, and of the one that goes by the list. */
  readonly ports: { readonly asking: number; readonly listing: number };
  /** PEM: the authority of their certificates, one after the other. */
  readonly ca: string;
  /** Whom the program was told that it served. */
  readonly served: readonly string[];
  /** Runs the shipped hook, which fetches the list and has nginx read it. @returns its exit status */
  fetchList(): Promise<number | null>;
}

export async function openWebSite(t: Hooks, service: ServedService): Promise<WebSite> {
  const body = { name: 'the-proxy', role: 'proxy' };
  const token: string = bodyOf(await service.call('POST', '/v1/operators', { body })).token;
  const url = `https://127.0.0.1:${service.port}`;
  const client = createClient(url, { ca: service.ca });
  t.after(() => client.close());
  const app = await startApp(t);
  const open = () => proxyFiles(t, { client, caCertificate: service.ca }, token, HOST_ADDRESS);
  const [asks, lists] = [await open(), await open()];
  const ports = { service: service.port, app: app.port };
  const asking = await startNginx(t, 'auth-request', asks, ports);
  // nginx does not start without its list.
  await runHook(lists, url, 'true');
  const listing = await startNginx(t, 'crl', lists, ports);
  return {
    ports: { asking: asking.port, listing: listing.port },
    ca: asks.appCa + lists.appCa,
    served: app.served,
    fetchList: () => runHook(lists, url, listing.reload),
  };
}
