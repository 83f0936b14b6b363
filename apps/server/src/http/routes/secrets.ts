// SPDX-License-Identifier: Apache-2.0
import { name, putSecret, secretDetail, secretRecord, secretRecords, strict } from '@vouchsafe/protocol';
import Type from 'typebox';
import { findSecret, listSecrets, removeSecret, storeSecret } from '../../domain/secrets/secret-records.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

const TAGS = { tags: ['secrets'] } as const;
const BODY_BYTES = 1024 * 1024;

/** Operators put secrets in and take them out of use; none of them is ever read back. */
export function addSecretRoutes(app: App, service: Service): void {
  const params = Type.Object({ name }, strict);
  const query = Type.Object({ after: Type.Optional(name) }, strict);
  app.get(
    '/v1/secrets',
    { config: { access: 'viewer' }, schema: { ...TAGS, querystring: query, response: { 200: secretRecords } } },
    (request) => listSecrets(service, request.query.after),
  );
  app.get(
    '/v1/secrets/:name',
    { config: { access: 'viewer' }, schema: { ...TAGS, params, response: { 200: secretDetail } } },
    (request) => findSecret(service, request.params.name),
  );
  app.put(
    '/v1/secrets/:name',
    {
      config: { access: 'admin' },
      bodyLimit: BODY_BYTES,
      schema: { ...TAGS, params, body: putSecret, response: { 200: secretRecord } },
    },
    (request) => storeSecret(service, operatorOf(request), request.params.name, request.body),
  );
  app.delete(
    '/v1/secrets/:name',
    { config: { access: 'admin' }, schema: { ...TAGS, params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await removeSecret(service, operatorOf(request), request.params.name);
      return reply.code(204).send(null);
    },
  );
}
