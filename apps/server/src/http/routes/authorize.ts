// SPDX-License-Identifier: Apache-2.0
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { authorize } from '../../domain/access/authorize.ts';
import { certificateOfHeader, certificateOfXfcc } from '../../domain/access/client-certificate-header.ts';
import type { Service } from '../../domain/service.ts';
import type { App } from '../app.ts';

/**
 * Whether a request may pass, for proxies: nginx's auth_request and Caddy's forward_auth ask the first route, Envoy's ext_authz
 * the second, under which it puts the path that was asked for. Each route takes the certificate from one header only, which
 * the proxy's configuration sets, whatever the caller sent: were there a choice, the caller would choose. Only proxies may ask.
 */
export function addAuthorizeRoutes(app: App, service: Service): void {
  const config = { access: 'proxy', limit: 'none' } as const;
  const schema = { tags: ['access'], response: { 200: Type.Null(), 401: Type.Null(), 403: Type.Null() } };
  app.get('/v1/authorize', { config, schema }, async (request, reply) =>
    answer(service, certificateOfHeader(request.headers['x-vouchsafe-client-cert']), reply),
  );
  app.route({
    // As the caller's request: ext_authz keeps the method. A body is not read.
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/v1/envoy-authorize/*',
    config,
    schema: { ...schema, hide: true },
    handler: async (request, reply) =>
      answer(service, certificateOfXfcc(request.headers['x-forwarded-client-cert']), reply),
  });
}

/** 200 with who it is, 401 or 403 with why not; nothing in the body. */
async function answer(
  service: Service,
  certificate: Parameters<typeof authorize>[2],
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { store, clock, config } = service;
  const decision = await authorize(store, config.grants.trustDomain, certificate, clock());
  void reply.header('cache-control', 'no-store');
  if (!decision.isAllowed) {
    const { status, reason, deviceId } = decision;
    if (deviceId !== undefined) void reply.header('x-vouchsafe-device', deviceId);
    return reply.code(status).header('x-vouchsafe-reason', reason).send();
  }
  const { deviceId, spiffeId, verdict, image, trustedUntilMs } = decision;
  if (image !== undefined) void reply.header('x-vouchsafe-image', printable(image));
  return reply
    .code(200)
    .header('x-vouchsafe-device', deviceId)
    .header('x-vouchsafe-spiffe-id', spiffeId)
    .header('x-vouchsafe-verdict', verdict)
    .header('x-vouchsafe-trusted-until', new Date(trustedUntilMs).toISOString())
    .send();
}

/** Names of images come from manifests; headers hold printable ASCII. */
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
