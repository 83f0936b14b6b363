// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { WIRE_LIMITS } from '@vouchsafe/protocol';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';

/** The app with the types of its schemas. */
export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

/** `bodyLimit` of routes that take evidence and references, which are large. */
export const LARGE_BODY = WIRE_LIMITS.bodyBytes;
