// SPDX-License-Identifier: Apache-2.0
import { createdWebhook, createWebhook, recordId, strict, webhookRecords } from '@vouchsafe/protocol';
import Type from 'typebox';
import { addWebhook, listWebhooks, removeWebhook } from '../../domain/events/webhooks.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

const TAGS = { tags: ['events'] } as const;

export function addWebhookRoutes(app: App, service: Service): void {
  app.get(
    '/v1/webhooks',
    { config: { access: 'viewer' }, schema: { ...TAGS, response: { 200: webhookRecords } } },
    async () => ({ items: await listWebhooks(service) }),
  );
  app.post(
    '/v1/webhooks',
    { config: { access: 'admin' }, schema: { ...TAGS, body: createWebhook, response: { 201: createdWebhook } } },
    async (request, reply) => reply.code(201).send(await addWebhook(service, operatorOf(request), request.body)),
  );
  app.delete(
    '/v1/webhooks/:id',
    {
      config: { access: 'admin' },
      schema: { ...TAGS, params: Type.Object({ id: recordId }, strict), response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await removeWebhook(service, operatorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
