// SPDX-License-Identifier: Apache-2.0
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Service } from '../domain/service.ts';
import { ServerError } from '../error.ts';
import { addressKey } from './address-key.ts';
import { declaredBytes } from './body-budget.ts';
import { createMeter } from './meter.ts';

const MINUTE_MS = 60_000;

/**
 * Limits by address, before a body is read. Machines' own routes have them by device too; and by address whichever devices are
 * named, since whoever calls may name any: one limit for all requests, which is wide, as thousands of machines may come from
 * behind one address, and a narrower one for those that were refused. What `limit` a route has is in its configuration.
 */
export function addRateLimits(app: FastifyInstance, { config, clock }: Service): void {
  const meter = (limit: number) => createMeter(limit, MINUTE_MS, clock);
  const { limits } = config;
  const enrolments = meter(limits.enrolmentsPerMinute);
  const devices = meter(limits.evidencePerMinute);
  const machines = meter(limits.machinesPerMinute);
  const refusals = meter(limits.refusalsPerMinute);
  const others = meter(limits.requestsPerMinute);
  const isWithin = (request: FastifyRequest): boolean => {
    const { limit } = request.routeOptions.config;
    const address = addressKey(request.ip);
    if (limit === 'none') return true;
    if (limit === 'enrolment') return enrolments.count(address);
    if (limit !== 'device') return others.count(address);
    const device = (request.params as { id?: string } | undefined)?.id ?? '';
    // The device's last, and with the address: nobody else can use up what a machine may ask, nor have others forgotten.
    return refusals.isBelow(address) && machines.count(address) && devices.count(`${device} ${address}`);
  };
  app.addHook('onRequest', (request, _reply, done) => {
    if (isWithin(request)) done();
    else done(new ServerError('too_many_requests', 'more requests than are served in a minute; wait and try again'));
  });
  app.addHook('onResponse', (request, reply, done) => {
    const isRefused = reply.statusCode >= 400 && reply.statusCode < 500 && reply.statusCode !== TOO_MANY;
    if (isRefused && request.routeOptions.config.limit === 'device') {
      // By what it took to read them: a large one counts for many.
      refusals.count(addressKey(request.ip), 1 + Math.floor(declaredBytes(request) / REFUSED_BYTES));
    }
    done();
  });
}

const TOO_MANY = 429;
const REFUSED_BYTES = 256 * 1024;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** 'device' counts by the device in the path and by address, 'enrolment' and the rest by address. */
    limit?: 'none' | 'device' | 'enrolment';
  }
}
