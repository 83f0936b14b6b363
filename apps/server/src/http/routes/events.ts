// SPDX-License-Identifier: Apache-2.0
import { strict } from '@vouchsafe/protocol';
import Type from 'typebox';
import { followEvents } from '../../domain/events/follow-events.ts';
import type { Service } from '../../domain/service.ts';
import { ServerError } from '../../error.ts';
import type { App } from '../app.ts';
import { isStillKnown } from '../authenticate.ts';

/** Followers at once, of this instance. */
const MAX_FOLLOWERS = 256;
/** A remark now and then, so that what is in between keeps the connection, and one that is gone shows. */
const HEARTBEAT_MS = 20_000;
/** Octets that a slow follower may be behind; then it is cut off, and goes on from where it was when it comes again. */
const MAX_BEHIND_BYTES = 1024 * 1024;

/**
 * Events as they happen, as server-sent events (HTML, 9.2): each is an entry of the audit log, its id the place of the next
 * one. Who comes back with Last-Event-ID, as browsers do by themselves, misses nothing.
 */
export function addEventRoutes(app: App, service: Service): void {
  let followers = 0;
  const query = Type.Object(
    {
      /** The first place; what happens from now on when left out. */
      from: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' })),
      /** Kinds, with commas between. */
      kinds: Type.Optional(Type.String({ pattern: '^[a-z.*,-]{1,512}$' })),
    },
    strict,
  );
  app.get(
    '/v1/events',
    { config: { access: 'viewer' }, schema: { tags: ['events'], querystring: query, response: { 200: Type.Any() } } },
    async (request, reply) => {
      if (followers >= MAX_FOLLOWERS) throw new ServerError('too_many_requests', 'too many follow events already');
      const last = request.headers['last-event-id'];
      const given = typeof last === 'string' && /^[0-9]{1,15}$/.test(last) ? last : request.query.from;
      const from = given === undefined ? service.auditLog.size : Number(given);
      const kinds = request.query.kinds?.split(',') ?? [];
      const stop = new AbortController();
      const { raw } = reply.hijack();
      raw.on('close', () => stop.abort());
      const onClose = (): void => stop.abort();
      service.closing.addEventListener('abort', onClose);
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 2000\n\n');
      const heartbeat = setInterval(() => {
        raw.write(': \n\n');
        void isStillKnown(service, request).then((isKnown) => isKnown || stop.abort());
      }, HEARTBEAT_MS);
      followers++;
      try {
        for await (const { place, kind, leaf } of followEvents(
          service.store,
          service.auditLog,
          from,
          kinds,
          stop.signal,
        )) {
          if (!(await isStillKnown(service, request))) break;
          // A leaf is JSON without line ends.
          raw.write(`id: ${place + 1}\nevent: ${kind}\ndata: ${leaf}\n\n`);
          if (raw.writableLength > MAX_BEHIND_BYTES) break;
        }
      } finally {
        followers--;
        clearInterval(heartbeat);
        service.closing.removeEventListener('abort', onClose);
        raw.end();
      }
    },
  );
}
