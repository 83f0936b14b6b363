// SPDX-License-Identifier: Apache-2.0
import {
  deviceId,
  name,
  policyVersion,
  policyVersions,
  putPolicy,
  strict,
  testPolicy,
  verdictSummary,
} from '@vouchsafe/protocol';
import Type from 'typebox';
import {
  activatePolicy,
  listPolicies,
  putPolicy as put,
  testPolicy as run,
} from '../../domain/references/manage-policies.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import type { App } from '../app.ts';

const tags = ['policies'];
/** A policy of 64 KiB whose every character is escaped. */
const POLICY_BODY = 512 * 1024;

export function addPolicyRoutes(app: App, service: Service): void {
  app.get(
    '/v1/policies',
    { config: { access: 'viewer' }, schema: { tags, response: { 200: policyVersions } } },
    async () => ({ items: await listPolicies(service) }),
  );
  app.put(
    '/v1/policies/:name',
    {
      config: { access: 'admin' },
      bodyLimit: POLICY_BODY,
      schema: { tags, params: Type.Object({ name }, strict), body: putPolicy, response: { 200: policyVersion } },
    },
    async (request) => put(service, operatorOf(request), request.params.name, request.body),
  );
  app.post(
    '/v1/policies/:name/versions/:version/activate',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        params: Type.Object({ name, version: Type.String({ pattern: '^[0-9]{1,7}$' }) }, strict),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { name: policy, version } = request.params;
      await activatePolicy(service, operatorOf(request), policy, Number(version));
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/v1/devices/:id/policy-test',
    {
      config: { access: 'viewer' },
      bodyLimit: POLICY_BODY,
      schema: {
        tags,
        params: Type.Object({ id: deviceId }, strict),
        body: testPolicy,
        response: { 200: verdictSummary },
      },
    },
    async (request) => run(service, request.params.id, request.body.text),
  );
}
