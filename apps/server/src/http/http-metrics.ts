// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { httpDuration } from '../main/metrics.ts';

/** Counts and times of requests, by route and status. */
export function addHttpMetrics(app: FastifyInstance): void {
  // Routes, methods and statuses are few: what they come to is looked up once.
  const observers = new Map<string, { observe(seconds: number): void }>();
  app.addHook('onResponse', (request, reply, done) => {
    // The route's pattern and never the path, which callers choose.
    const route = request.routeOptions.url ?? 'none';
    const key = `${request.method} ${reply.statusCode} ${route}`;
    const observer = observers.get(key) ?? httpDuration.labels(request.method, route, String(reply.statusCode));
    observers.set(key, observer);
    observer.observe(reply.elapsedTime / 1000);
    done();
  });
}
