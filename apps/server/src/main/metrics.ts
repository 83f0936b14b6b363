// SPDX-License-Identifier: Apache-2.0
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** Of this process. */
export const metrics = new Registry();
collectDefaultMetrics({ register: metrics });

export const httpDuration = new Histogram({
  name: 'vouchsafe_http_request_seconds',
  help: 'Time from a request to the end of its answer.',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  registers: [metrics],
});

export const attestations = new Counter({
  name: 'vouchsafe_attestations_total',
  help: 'Verdicts by status.',
  labelNames: ['status'],
  registers: [metrics],
});

export const refusals = new Counter({
  name: 'vouchsafe_evidence_refused_total',
  help: 'Evidence of which no verdict was made, by code.',
  labelNames: ['code'],
  registers: [metrics],
});
