// SPDX-License-Identifier: Apache-2.0
import {
  firmwareBaseline,
  firmwareBaselines,
  importBaseline,
  learnBaseline,
  sha256Hex,
  strict,
} from '@vouchsafe/protocol';
import Type from 'typebox';
import {
  importFirmware,
  learnFromDevice,
  listBaselines,
  setBaselineLife,
} from '../../domain/references/manage-baselines.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import { type App, LARGE_BODY } from '../app.ts';

const params = Type.Object({ sha256: sha256Hex }, strict);
const tags = ['baselines'];

export function addBaselineRoutes(app: App, service: Service): void {
  app.get(
    '/v1/baselines',
    { config: { access: 'viewer' }, schema: { tags, response: { 200: firmwareBaselines } } },
    async () => ({ items: await listBaselines(service) }),
  );
  app.post(
    '/v1/baselines',
    {
      config: { access: 'operator' },
      schema: { tags, body: learnBaseline, response: { 201: firmwareBaseline } },
    },
    async (request, reply) => reply.code(201).send(await learnFromDevice(service, operatorOf(request), request.body)),
  );
  app.post(
    '/v1/baselines/import',
    {
      config: { access: 'operator' },
      bodyLimit: LARGE_BODY,
      schema: { tags, body: importBaseline, response: { 201: firmwareBaseline } },
    },
    async (request, reply) => reply.code(201).send(await importFirmware(service, operatorOf(request), request.body)),
  );
  for (const [verb, life] of [
    ['approve', 'active'],
    ['revoke', 'revoked'],
  ] as const) {
    app.post(
      `/v1/baselines/:sha256/${verb}`,
      { config: { access: 'admin' }, schema: { tags, params, response: { 204: Type.Null() } } },
      async (request, reply) => {
        await setBaselineLife(service, operatorOf(request), request.params.sha256, life);
        return reply.code(204).send(null);
      },
    );
  }
}
