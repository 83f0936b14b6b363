// SPDX-License-Identifier: Apache-2.0

import type { OperatorRole } from '@vouchsafe/protocol';
import type { FastifyRequest } from 'fastify';
import type { Actor } from '../domain/service.ts';
import { ServerError } from '../error.ts';

/**
 * Who may call a route. Each route says so; one that does not is not served. 'machine': what is in the request proves who
 * sends it. 'public': nothing of it is anybody's.
 */
export type Access = 'machine' | 'public' | OperatorRole;

/** What an operator's role includes. A proxy is no viewer: it may ask one thing. */
const INCLUDED: Readonly<Record<OperatorRole, readonly OperatorRole[]>> = {
  viewer: ['viewer'],
  operator: ['viewer', 'operator'],
  admin: ['viewer', 'operator', 'admin'],
  proxy: ['proxy'],
};

export const mayUse = (role: OperatorRole, needed: OperatorRole): boolean => INCLUDED[role].includes(needed);

/** The operator of the request, who was looked at before the handler ran. */
export function operatorOf(request: FastifyRequest): Actor {
  const { operator } = request;
  if (operator === undefined) throw new ServerError('unauthenticated', 'expected an operator');
  return { kind: 'operator', name: operator.name };
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    operator: { readonly id: string; readonly name: string; readonly role: OperatorRole } | undefined;
  }
}
