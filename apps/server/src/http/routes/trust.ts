// SPDX-License-Identifier: Apache-2.0
import {
  addInventory,
  addTrust,
  inventoryEntries,
  inventoryEntry,
  recordId,
  sha256Hex,
  strict,
  trustAnchors,
} from '@vouchsafe/protocol';
import Type from 'typebox';
import { listInventory, addInventory as register, removeInventory } from '../../domain/inventory.ts';
import type { Service } from '../../domain/service.ts';
import { listTrust, removeTrust, addTrust as trust } from '../../domain/trust.ts';
import { operatorOf } from '../access.ts';
import { type App, LARGE_BODY } from '../app.ts';

export function addTrustRoutes(app: App, service: Service): void {
  app.get(
    '/v1/trust',
    { config: { access: 'viewer' }, schema: { tags: ['trust'], response: { 200: trustAnchors } } },
    async () => ({ items: await listTrust(service) }),
  );
  app.post(
    '/v1/trust',
    {
      config: { access: 'admin' },
      bodyLimit: LARGE_BODY,
      schema: { tags: ['trust'], body: addTrust, response: { 201: trustAnchors } },
    },
    async (request, reply) => reply.code(201).send({ items: await trust(service, operatorOf(request), request.body) }),
  );
  app.delete(
    '/v1/trust/:sha256',
    {
      config: { access: 'admin' },
      schema: { tags: ['trust'], params: Type.Object({ sha256: sha256Hex }, strict), response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await removeTrust(service, operatorOf(request), request.params.sha256);
      return reply.code(204).send(null);
    },
  );
  app.get(
    '/v1/inventory',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['inventory'],
        querystring: Type.Object({ after: Type.Optional(recordId) }, strict),
        response: { 200: inventoryEntries },
      },
    },
    async (request) => listInventory(service, request.query.after),
  );
  app.post(
    '/v1/inventory',
    {
      config: { access: 'operator' },
      schema: { tags: ['inventory'], body: addInventory, response: { 201: inventoryEntry } },
    },
    async (request, reply) => reply.code(201).send(await register(service, operatorOf(request), request.body)),
  );
  app.delete(
    '/v1/inventory/:id',
    {
      config: { access: 'operator' },
      schema: { tags: ['inventory'], params: Type.Object({ id: recordId }, strict), response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await removeInventory(service, operatorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
