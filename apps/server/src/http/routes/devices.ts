// SPDX-License-Identifier: Apache-2.0
import type { RecordProof } from '@vouchsafe/audit';
import { encodeBase64 } from '@vouchsafe/pki';
import {
  awaitingEnrolments,
  bootLog,
  deviceDetail,
  deviceId,
  deviceList,
  deviceVerdicts,
  strict,
  type VerdictProof,
  verdictProof,
} from '@vouchsafe/protocol';
import Type from 'typebox';
import { proveVerdict } from '../../domain/audit/prove-verdict.ts';
import {
  approveDevice,
  clearDevice,
  pinDevice,
  quarantineDevice,
  removeDevice,
  resetDevice,
} from '../../domain/devices/change-device.ts';
import { listAwaiting, listDevices, showBootLog, showDevice, showVerdicts } from '../../domain/devices/show-devices.ts';
import type { Actor, Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

const params = Type.Object({ id: deviceId }, strict);
const DEFAULT_PAGE = 100;

/** Queries are texts, and nothing is converted: digits are asked for as such. */
const digits = (max: number) => Type.String({ pattern: `^[0-9]{1,${max}}$` });

const listQuery = Type.Object(
  {
    after: Type.Optional(deviceId),
    limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$' })),
    life: Type.Optional(Type.Enum(['enrolled', 'quarantined', 'reset'])),
    status: Type.Optional(Type.Enum(['affirming', 'warning', 'contraindicated'])),
  },
  strict,
);

export function addDeviceRoutes(app: App, service: Service): void {
  app.get(
    '/v1/devices',
    {
      config: { access: 'viewer' },
      schema: { tags: ['devices'], querystring: listQuery, response: { 200: deviceList } },
    },
    async ({ query }) => listDevices(service, { ...query, limit: Number(query.limit ?? DEFAULT_PAGE) }),
  );
  app.get(
    '/v1/enrolments',
    { config: { access: 'viewer' }, schema: { tags: ['devices'], response: { 200: awaitingEnrolments } } },
    async () => listAwaiting(service),
  );
  app.get(
    '/v1/devices/:id',
    { config: { access: 'viewer' }, schema: { tags: ['devices'], params, response: { 200: deviceDetail } } },
    async (request) => showDevice(service, request.params.id),
  );
  app.get(
    '/v1/devices/:id/verdicts',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['devices'],
        params,
        querystring: Type.Object({ after: Type.Optional(digits(15)) }, strict),
        response: { 200: deviceVerdicts },
      },
    },
    async ({ params: { id }, query }) => showVerdicts(service, id, Number(query.after ?? Number.MAX_SAFE_INTEGER)),
  );
  app.get(
    '/v1/devices/:id/verdict-proof',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['devices'],
        params,
        querystring: Type.Object({ at: Type.Optional(digits(15)) }, strict),
        response: { 200: verdictProof },
      },
    },
    async ({ params: { id }, query }) =>
      wireProof(await proveVerdict(service.store, id, Number(query.at ?? Number.MAX_SAFE_INTEGER))),
  );
  app.get(
    '/v1/devices/:id/boot-log',
    { config: { access: 'viewer' }, schema: { tags: ['devices'], params, response: { 200: bootLog } } },
    async (request) => showBootLog(service, request.params.id),
  );
  addChange(app, service, 'approve', approveDevice);
  addChange(app, service, 'quarantine', quarantineDevice);
  addChange(app, service, 'clear', clearDevice);
  addChange(app, service, 'pin', pinDevice);
  addChange(app, service, 'reset', resetDevice);
  app.delete(
    '/v1/devices/:id',
    { config: { access: 'operator' }, schema: { tags: ['devices'], params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await removeDevice(service, operatorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}

const wireProof = ({ record, index, hashes, entry, note }: RecordProof): VerdictProof => ({
  ...{ record, index, hashes: hashes.map(encodeBase64) },
  entry: { ...entry, hashes: entry.hashes.map(encodeBase64) },
  head: note,
});

function addChange(
  app: App,
  service: Service,
  verb: string,
  change: (service: Service, actor: Actor, id: string) => Promise<void>,
): void {
  app.post(
    `/v1/devices/:id/${verb}`,
    { config: { access: 'operator' }, schema: { tags: ['devices'], params, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await change(service, operatorOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
