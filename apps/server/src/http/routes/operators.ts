// SPDX-License-Identifier: Apache-2.0
import { createdOperator, createOperator, operatorRecords, recordId, strict } from '@vouchsafe/protocol';
import Type from 'typebox';
import { createOperator as create, listOperators, removeOperator } from '../../domain/operators.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

export function addOperatorRoutes(app: App, service: Service): void {
  app.get(
    '/v1/operators',
    { config: { access: 'admin' }, schema: { tags: ['operators'], response: { 200: operatorRecords } } },
    async () => ({ items: await listOperators(service) }),
  );
  app.post(
    '/v1/operators',
    {
      config: { access: 'admin' },
      bodyLimit: 256 * 1024,
      schema: { tags: ['operators'], body: createOperator, response: { 201: createdOperator } },
    },
    async (request, reply) => reply.code(201).send(await create(service, operatorOf(request), request.body)),
  );
  app.delete(
    '/v1/operators/:id',
    {
      config: { access: 'admin' },
      schema: { tags: ['operators'], params: Type.Object({ id: recordId }, strict), response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await removeOperator(service, operatorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
