// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance } from 'fastify';
import { httpDuration } from '../main/metrics.ts';

/** Counts and times of requests, by route and status. */
export function addHttpMetrics(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    // The route's pattern and never the path, which callers choose.
    const route = request.routeOptions.url ?? 'none';
    httpDuration.labels(request.method, route, String(reply.statusCode)).observe(reply.elapsedTime / 1000);
    done();
  });
}
