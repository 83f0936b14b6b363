// SPDX-License-Identifier: Apache-2.0
import type { TLSSocket } from 'node:tls';
import { toHex, utf8 } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { decodeCertificate } from '@vouchsafe/pki';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Service } from '../domain/service.ts';
import { ServerError } from '../error.ts';
import type { OperatorRow } from '../store/rows/operators.ts';
import { type Access, mayUse } from './access.ts';
import { addressKey } from './address-key.ts';
import { createMeter } from './meter.ts';

const MINUTE_MS = 60_000;
/** 32 octets in base64url are 43 characters; longer ones are nobody's. */
const MAX_TOKEN_CHARS = 256;

const sha256 = (bytes: Uint8Array): string => toHex(digest('sha256', bytes));

/**
 * Before anything of a request's body is read: routes of operators are for operators of that role. A token is looked up by its
 * digest, so that neither a file of the database nor the time of a comparison tells one.
 */
export function addAuthentication(app: FastifyInstance, service: Service): void {
  const failures = createMeter(service.config.limits.signInsPerMinute, MINUTE_MS, service.clock);
  app.decorateRequest('operator', undefined);
  app.addHook('onRequest', (request, _reply, done) => {
    const access = request.routeOptions.config.access;
    // What machines send says who they are.
    if (access === undefined || access === 'machine' || access === 'public') done();
    else signIn(request, access).then(() => done(), done);
  });
  const signIn = async (request: FastifyRequest, access: Exclude<Access, 'machine' | 'public'>): Promise<void> => {
    const address = addressKey(request.ip);
    if (!failures.isBelow(address)) {
      throw new ServerError('too_many_requests', 'too many failed sign-ins from this address; wait a minute');
    }
    const found = await identify(request, service);
    if (typeof found === 'string') {
      failures.count(address);
      if (found === 'foreign') throw new ServerError('forbidden', 'the credential given is not an operator’s');
      throw new ServerError(
        'unauthenticated',
        'expected an operator’s token (Authorization: Bearer …) or valid certificate',
      );
    }
    if (!mayUse(found.role, access)) {
      throw new ServerError('forbidden', `expected the role ${access}, found ${found.role}; ask an admin`);
    }
    request.operator = { id: found.id, name: found.name, role: found.role };
  };
}

/**
 * Whether the operator of a request that goes on for long is one still, with the same role. False too where the database
 * cannot say.
 */
export async function isStillKnown({ store }: Service, { operator }: FastifyRequest): Promise<boolean> {
  if (operator === undefined) return false;
  const found = await store.read.operators.find(operator.id).catch(() => undefined);
  return found?.role === operator.role;
}

/** 'foreign': a credential of a machine's, which is known and not for this. */
async function identify(
  request: FastifyRequest,
  { store, clock }: Service,
): Promise<OperatorRow | 'unknown' | 'foreign'> {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
    if (token === undefined || token.length > MAX_TOKEN_CHARS) return 'unknown';
    const hash = sha256(utf8(token));
    const operator = await store.read.operators.findByToken(hash);
    if (operator !== undefined) return operator;
    return (await store.read.joinTokens.findBySha256(hash)) === undefined ? 'unknown' : 'foreign';
  }
  const socket = request.raw.socket as Partial<TLSSocket>;
  const certificate = socket.getPeerCertificate?.();
  if (certificate?.raw === undefined) return 'unknown';
  // The handshake has shown that the caller holds its key. Who may sign in is registered certificate by certificate, so that
  // no authority needs to be trusted with it.
  const operator = await store.read.operators.findByCertificate(sha256(certificate.raw));
  if (operator === undefined) return 'foreign';
  // Nothing else has looked at its time: who registers a certificate for a month means a month.
  const { validity } = decodeCertificate(certificate.raw);
  const nowMs = clock();
  return nowMs < validity.notBeforeMs || nowMs > validity.notAfterMs ? 'unknown' : operator;
}
