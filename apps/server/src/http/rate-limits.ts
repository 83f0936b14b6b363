// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Service } from '../domain/service.ts';
import { ServerError } from '../error.ts';
import { createMeter } from './meter.ts';

const MINUTE_MS = 60_000;

/**
 * Limits by address, and for a machine's own routes by device too: thousands of machines may come from behind one address. What
 * `limit` a route has is in its configuration.
 */
export function addRateLimits(app: FastifyInstance, { config, clock }: Service): void {
  const { enrolmentsPerMinute, evidencePerMinute, requestsPerMinute } = config.limits;
  const enrolments = createMeter(enrolmentsPerMinute, MINUTE_MS, clock);
  const devices = createMeter(evidencePerMinute, MINUTE_MS, clock);
  const others = createMeter(requestsPerMinute, MINUTE_MS, clock);
  const isWithin = (request: FastifyRequest): boolean => {
    const { limit } = request.routeOptions.config;
    if (limit === 'none') return true;
    if (limit === 'enrolment') return enrolments.count(request.ip);
    // With the address: nobody else can use up what a machine may ask.
    const device = (request.params as { id?: string } | undefined)?.id ?? '';
    return limit === 'device' ? devices.count(`${device} ${request.ip}`) : others.count(request.ip);
  };
  app.addHook('onRequest', (request, _reply, done) => {
    if (isWithin(request)) done();
    else done(new ServerError('too_many_requests', 'more requests than are served in a minute; wait and try again'));
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** 'device' counts by the device in the path, 'enrolment' and the rest by address. */
    limit?: 'none' | 'device' | 'enrolment';
  }
}
