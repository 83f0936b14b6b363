// SPDX-License-Identifier: Apache-2.0
import { createdToken, createToken, recordId, strict, tokenRecords } from '@vouchsafe/protocol';
import Type from 'typebox';
import { createJoinToken, listJoinTokens, removeJoinToken } from '../../domain/join-tokens.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

export function addTokenRoutes(app: App, service: Service): void {
  app.get(
    '/v1/tokens',
    { config: { access: 'viewer' }, schema: { tags: ['tokens'], response: { 200: tokenRecords } } },
    async () => ({ items: await listJoinTokens(service) }),
  );
  app.post(
    '/v1/tokens',
    {
      config: { access: 'operator' },
      schema: { tags: ['tokens'], body: createToken, response: { 201: createdToken } },
    },
    async (request, reply) => reply.code(201).send(await createJoinToken(service, operatorOf(request), request.body)),
  );
  app.delete(
    '/v1/tokens/:id',
    {
      config: { access: 'operator' },
      schema: { tags: ['tokens'], params: Type.Object({ id: recordId }, strict), response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await removeJoinToken(service, operatorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
