// SPDX-License-Identifier: Apache-2.0
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import type { Service } from '../domain/service.ts';
import { ServerError } from '../error.ts';
import type { ServiceTls } from '../main/tls.ts';
import type { Access } from './access.ts';
import type { App } from './app.ts';
import { addAuthentication } from './authenticate.ts';
import { addBodyBudget } from './body-budget.ts';
import { limitConnections } from './connections.ts';
import { addHttpMetrics } from './http-metrics.ts';
import { addProblems } from './problem.ts';
import { addRateLimits } from './rate-limits.ts';
import { addJsonReader } from './read-json.ts';
import { ROUTES } from './routes/all.ts';

/** A machine keeps its connection for the next attestation; between them it may be idle for long. */
const KEEP_ALIVE_MS = 20 * 60_000;
/** Slow senders are cut off: headers, then the whole request. */
const HEADERS_MS = 15_000;
const REQUEST_MS = 60_000;
const HANDSHAKE_MS = 10_000;
const MAX_HEADERS_BYTES = 16_384;
const MAX_CONNECTIONS = 50_000;
/** Of one address: some thousands of machines may be behind it, and cannot keep all others out. */
const MAX_ADDRESS_CONNECTIONS = 20_000;
/** Bodies of routes that say nothing else. */
const BODY_BYTES = 64 * 1024;

/**
 * What a form does not name is refused, never dropped, converted or filled in. Lengths are in code units: to count characters
 * takes milliseconds for a megabyte of base64, in which the two are the same. Ajv warns of that option at each start, hence no logger.
 */
const VALIDATION = {
  removeAdditional: false,
  coerceTypes: false,
  useDefaults: false,
  allErrors: false,
  unicode: false,
  logger: false,
} as const;

/** The routes of the service over TLS. Nothing listens yet. */
export async function buildApp(service: Service, tls: ServiceTls): Promise<{ app: App; routes: readonly Route[] }> {
  const app = fastify({
    https: {
      key: tls.key,
      cert: tls.certificate,
      minVersion: 'TLSv1.2',
      // Operators and machines may show a certificate; who must is said by the route.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_MS,
      maxHeaderSize: MAX_HEADERS_BYTES,
      headersTimeout: HEADERS_MS,
      // Sessions resume by tickets, which Node.js issues by itself.
      sessionTimeout: 3600,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    bodyLimit: BODY_BYTES,
    logger: false,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    ajv: { customOptions: VALIDATION },
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as App;
  limitConnections(app.server, MAX_CONNECTIONS, MAX_ADDRESS_CONNECTIONS);
  addJsonReader(app as unknown as FastifyInstance);
  const routes = requireAccess(app);
  addProblems(app as unknown as FastifyInstance, service);
  addHttpMetrics(app as unknown as FastifyInstance);
  addRateLimits(app as unknown as FastifyInstance, service);
  addAuthentication(app as unknown as FastifyInstance, service);
  addBodyBudget(app as unknown as FastifyInstance);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Vouchsafe', version: '1', description: 'Attestation: machines prove what they booted.' },
      components: { securitySchemes: { operator: { type: 'http', scheme: 'bearer' } } },
    },
  });
  for (const add of ROUTES) add(app, service);
  await app.ready();
  return { app, routes };
}

/** A route and who may call it. */
export interface Route {
  readonly method: string;
  /** With ':name' for parameters. */
  readonly url: string;
  readonly access: Access;
}

/** A route that does not say whose it is, is none: the service does not start. */
function requireAccess(app: App): readonly Route[] {
  const routes: Route[] = [];
  app.addHook('onRoute', (route) => {
    const { url, method, config } = route;
    const access = config?.access;
    if (access === undefined) throw new ServerError('internal', `the route ${method} ${url} does not say whose it is`);
    for (const one of [method].flat()) routes.push({ method: one, url, access });
    // For the OpenAPI document.
    const security = access === 'machine' || access === 'public' ? [] : [{ operator: [] }];
    route.schema = { ...route.schema, security, 'x-access': access } as typeof route.schema & object;
  });
  return routes;
}
