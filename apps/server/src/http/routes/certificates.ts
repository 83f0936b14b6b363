// SPDX-License-Identifier: Apache-2.0
import { decodeCrl, formatCertificate, formatCrl } from '@vouchsafe/pki';
import { certificateRecords, deviceId, jwks, revokedCertificates, strict } from '@vouchsafe/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { listCertificates, revokeCertificates } from '../../domain/certificates/certificates.ts';
import { currentRevocationList } from '../../domain/certificates/revocation-list.ts';
import { jwkOfSpki } from '../../domain/results/jws.ts';
import type { Service } from '../../domain/service.ts';
import type { AuthorityName } from '../../store/rows/certificates.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

const PUBLIC = {
  config: { access: 'public' },
  schema: { tags: ['certificates'], response: { 200: Type.Any() } },
} as const;
/** What a proxy or a cache in between may keep: short, as revocation must not wait for it. */
const CACHE = 'public, max-age=5';

/** Authorities, revocation lists and keys, for whoever relies on them. */
export function addCertificateRoutes(app: App, service: Service): void {
  for (const [path, name] of [
    ['client', 'client'],
    ['attestation', 'attestation'],
  ] as const) {
    app.get(`/v1/authorities/${path}.pem`, PUBLIC, async (_request, reply) =>
      reply
        .header('content-type', 'application/pem-certificate-chain')
        .send(formatCertificate(service.keys[name].certificate)),
    );
  }
  // DER, or PEM for who asks for it, as nginx wants it: by the name, or by Accept.
  app.get('/v1/crl', PUBLIC, (request, reply) => sendList(service, 'client', wantsPem(request), reply));
  app.get('/v1/crl.pem', PUBLIC, (_request, reply) => sendList(service, 'client', true, reply));
  app.get('/v1/crl/attestation', PUBLIC, (request, reply) =>
    sendList(service, 'attestation', wantsPem(request), reply),
  );
  app.get(
    '/v1/jwks.json',
    { ...PUBLIC, schema: { ...PUBLIC.schema, response: { 200: jwks } } },
    async (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').send({ keys: [jwkOfSpki(service.keys.results.spki)] }),
  );
  const params = Type.Object({ id: deviceId }, strict);
  app.get(
    '/v1/devices/:id/certificates',
    { config: { access: 'viewer' }, schema: { tags: ['certificates'], params, response: { 200: certificateRecords } } },
    async (request) => ({ items: await listCertificates(service, request.params.id) }),
  );
  app.post(
    '/v1/devices/:id/certificates/revoke',
    {
      config: { access: 'operator' },
      schema: { tags: ['certificates'], params, response: { 200: revokedCertificates } },
    },
    async (request) => ({ revoked: await revokeCertificates(service, operatorOf(request), request.params.id) }),
  );
}

const wantsPem = ({ headers }: FastifyRequest): boolean => headers.accept?.includes('application/x-pem-file') ?? false;

/** RFC 2585, 4.2. */
async function sendList(
  service: Service,
  name: AuthorityName,
  asPem: boolean,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { store, keys, config, clock } = service;
  const lifetimeMs = config.grants.revocationListMs;
  const der = await currentRevocationList({ store, name, authority: keys[name], lifetimeMs, nowMs: clock() });
  void reply.header('cache-control', CACHE);
  if (asPem) return reply.header('content-type', 'application/x-pem-file').send(formatCrl(decodeCrl(der)));
  return reply.header('content-type', 'application/pkix-crl').send(Buffer.from(der));
}
