// SPDX-License-Identifier: Apache-2.0
import { serviceInfo } from '@vouchsafe/protocol';
import Type from 'typebox';
import type { Service } from '../../domain/service.ts';
import { ServerError } from '../../error.ts';
import { metrics } from '../../main/metrics.ts';
import { VERSION } from '../../main/version.ts';
import { databaseFaultOf } from '../../store/database-fault.ts';
import type { App } from '../app.ts';

const status = Type.Object({ status: Type.Literal('ok') });

const PING_MS = 1000;

/** Does something for all who ask within a time; a failure is not kept for those who come after it. */
function onceWithin(keptMs: number, run: () => Promise<void>): () => Promise<void> {
  let last: { readonly atMs: number; readonly done: Promise<void> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.atMs >= keptMs) {
      const done = run();
      last = { atMs: performance.now(), done };
      done.catch(() => {
        last = undefined;
      });
    }
    return last.done;
  };
}

/** What tells how the service is. */
export function addServiceRoutes(app: App, service: Service): void {
  app.get(
    '/v1/health',
    { config: { access: 'public', limit: 'none' }, schema: { tags: ['service'], response: { 200: status } } },
    async () => ({ status: 'ok' as const }),
  );
  // Anybody may ask, as often as they like: the database is asked once a second at most.
  const ping = onceWithin(PING_MS, () => service.store.ping());
  app.get(
    '/v1/ready',
    { config: { access: 'public', limit: 'none' }, schema: { tags: ['service'], response: { 200: status } } },
    async () => {
      try {
        await ping();
      } catch (cause) {
        const { code, hint } = databaseFaultOf(cause) ?? {
          code: 'database_unavailable',
          hint: 'the database does not answer',
        };
        throw new ServerError(code, hint, { cause });
      }
      return { status: 'ok' as const };
    },
  );
  app.get(
    '/v1/service',
    { config: { access: 'viewer' }, schema: { tags: ['service'], response: { 200: serviceInfo } } },
    async () => ({
      version: VERSION,
      url: service.url,
      caSha256: service.caSha256,
      caCertificate: service.caCertificate,
      nowMs: service.clock(),
      devices: await service.store.read.devices.count(),
      joining: { ...service.config.joining },
    }),
  );
  app.get(
    '/metrics',
    { config: { access: 'viewer', limit: 'none' }, schema: { tags: ['service'], response: { 200: Type.String() } } },
    async (_request, reply) => {
      const text = await metrics.metrics();
      return reply.header('content-type', metrics.contentType).serializer(String).send(text);
    },
  );
  app.get(
    '/v1/openapi.json',
    { config: { access: 'public' }, schema: { tags: ['service'], response: { 200: Type.Any() } } },
    async (_request, reply) => reply.type('application/json').serializer(JSON.stringify).send(app.swagger()),
  );
}
