// SPDX-License-Identifier: Apache-2.0
import {
  attestationResult,
  challenge,
  deviceId,
  enrolmentChallenge,
  enrolmentProof,
  enrolmentRequest,
  enrolmentResult,
  evidence,
  recordId,
  strict,
} from '@vouchsafe/protocol';
import Type from 'typebox';
import { attest, issueChallenge } from '../../domain/attestation/attest.ts';
import { beginEnrolment } from '../../domain/enrolment/begin-enrolment.ts';
import { finishEnrolment } from '../../domain/enrolment/finish-enrolment.ts';
import type { Service } from '../../domain/service.ts';
import { type App, LARGE_BODY } from '../app.ts';

/** Certificates of 16 platforms and as many of the endorsement key, in base64. */
const ENROLMENT_BODY = 3 * 1024 * 1024;

const deviceParams = Type.Object({ id: deviceId }, strict);

/** What machines call. What they send proves who they are. */
export function addMachineRoutes(app: App, service: Service): void {
  app.post(
    '/v1/enrolments',
    {
      config: { access: 'machine', limit: 'enrolment' },
      bodyLimit: ENROLMENT_BODY,
      schema: { tags: ['machines'], body: enrolmentRequest, response: { 201: enrolmentChallenge } },
    },
    async (request, reply) => reply.code(201).send(await beginEnrolment(service, request.body)),
  );
  app.post(
    '/v1/enrolments/:id/proof',
    {
      config: { access: 'machine', limit: 'enrolment' },
      schema: {
        tags: ['machines'],
        params: Type.Object({ id: recordId }, strict),
        body: enrolmentProof,
        response: { 200: enrolmentResult },
      },
    },
    async (request) => finishEnrolment(service, request.params.id, request.body.secret),
  );
  app.post(
    '/v1/devices/:id/challenges',
    {
      config: { access: 'machine', limit: 'device' },
      schema: { tags: ['machines'], params: deviceParams, response: { 200: challenge } },
    },
    async (request) => issueChallenge(service, request.params.id),
  );
  app.post(
    '/v1/devices/:id/evidence',
    {
      config: { access: 'machine', limit: 'device' },
      bodyLimit: LARGE_BODY,
      schema: { tags: ['machines'], params: deviceParams, body: evidence, response: { 200: attestationResult } },
    },
    async (request) => attest(service, request.params.id, request.body),
  );
}
