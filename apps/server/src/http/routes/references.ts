// SPDX-License-Identifier: Apache-2.0
import {
  addPart,
  addReference,
  imageReference,
  imageReferences,
  name,
  parseBase64url,
  putVersionFloor,
  retireReference,
  sha256Hex,
  strict,
  versionFloors,
} from '@vouchsafe/protocol';
import Type from 'typebox';
import {
  addReference as add,
  addPart as attach,
  listFloors,
  listReferences,
  putFloor,
  setReferenceLife,
  showReference,
} from '../../domain/references/manage-references.ts';
import type { Service } from '../../domain/service.ts';
import { operatorOf } from '../access.ts';
import { type App, LARGE_BODY } from '../app.ts';

const params = Type.Object({ sha256: sha256Hex }, strict);
const tags = ['references'];

export function addReferenceRoutes(app: App, service: Service): void {
  app.get(
    '/v1/references',
    { config: { access: 'viewer' }, schema: { tags, response: { 200: imageReferences } } },
    async () => ({ items: await listReferences(service) }),
  );
  app.get(
    '/v1/references/:sha256',
    { config: { access: 'viewer' }, schema: { tags, params, response: { 200: imageReference } } },
    async (request) => showReference(service, request.params.sha256),
  );
  app.post(
    '/v1/references',
    {
      config: { access: 'admin' },
      bodyLimit: LARGE_BODY,
      schema: { tags, body: addReference, response: { 201: imageReference } },
    },
    async (request, reply) => reply.code(201).send(await add(service, operatorOf(request), request.body)),
  );
  app.put(
    '/v1/references/:sha256/parts',
    {
      config: { access: 'admin' },
      bodyLimit: LARGE_BODY,
      schema: { tags, params, body: addPart, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      await attach(service, operatorOf(request), request.params.sha256, parseBase64url(request.body.bytes));
      return reply.code(204).send(null);
    },
  );
  for (const [verb, life] of [
    ['activate', 'active'],
    ['revoke', 'revoked'],
  ] as const) {
    app.post(
      `/v1/references/:sha256/${verb}`,
      { config: { access: 'admin' }, schema: { tags, params, response: { 204: Type.Null() } } },
      async (request, reply) => {
        await setReferenceLife(service, operatorOf(request), request.params.sha256, life);
        return reply.code(204).send(null);
      },
    );
  }
  app.post(
    '/v1/references/:sha256/retire',
    {
      config: { access: 'admin' },
      schema: { tags, params, body: retireReference, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { params: named, body } = request;
      await setReferenceLife(service, operatorOf(request), named.sha256, 'retiring', body.atMs);
      return reply.code(204).send(null);
    },
  );
  app.get(
    '/v1/version-floors',
    { config: { access: 'viewer' }, schema: { tags, response: { 200: versionFloors } } },
    async () => listFloors(service),
  );
  app.put(
    '/v1/version-floors/:image',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        params: Type.Object({ image: name }, strict),
        body: putVersionFloor,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await putFloor(service, operatorOf(request), request.params.image, request.body.version);
      return reply.code(204).send(null);
    },
  );
}
