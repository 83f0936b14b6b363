// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServerError } from '../error.ts';
import { addressKey } from './address-key.ts';

/** A body up to this is always read: what machines send all the time has some kilobytes. */
const SMALL_BYTES = 64 * 1024;
/** Of larger ones that are on their way at once, in this process; and from behind one address. */
const ALL_BYTES = 512 * 1024 * 1024;
const ADDRESS_BYTES = 128 * 1024 * 1024;

/**
 * Bounds the memory that bodies take while they arrive: whoever sends large ones slowly, and many, is told to come again, and
 * those of others are read. Counted by what the request says that it will send, before anything is read.
 */
export function addBodyBudget(app: FastifyInstance): void {
  const held = new Map<string, number>();
  let all = 0;
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = declaredBytes(request);
    if (bytes <= SMALL_BYTES) return done();
    const address = addressKey(request.ip);
    const mine = held.get(address) ?? 0;
    if (all + bytes > ALL_BYTES || mine + bytes > ADDRESS_BYTES) {
      return done(new ServerError('too_many_requests', 'too many large requests are under way; wait and try again'));
    }
    all += bytes;
    held.set(address, mine + bytes);
    reply.raw.once('close', () => {
      all -= bytes;
      const left = (held.get(address) ?? 0) - bytes;
      if (left > 0) held.set(address, left);
      else held.delete(address);
    });
    done();
  });
}

/**
 * Octets that a request says it will send; of one that does not say, as many as its route takes. What is over the route's limit
 * is refused by its length, and is none.
 */
export function declaredBytes({ headers, routeOptions }: FastifyRequest): number {
  if (headers['transfer-encoding'] !== undefined) return routeOptions.bodyLimit ?? 0;
  const length = Number(headers['content-length'] ?? 0);
  return length > (routeOptions.bodyLimit ?? Number.POSITIVE_INFINITY) ? 0 : length;
}
