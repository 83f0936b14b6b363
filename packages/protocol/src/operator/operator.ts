// SPDX-License-Identifier: Apache-2.0
import Type, { type Static } from 'typebox';
import { base64url, name, strict, timeMs } from '../fields.ts';
import { WIRE_LIMITS } from '../limits.ts';
import { page, recordId } from './fields.ts';

/**
 * 'viewer' sees all; 'operator' also manages devices, tokens and inventory; 'admin' also decides what is trusted. 'proxy' may
 * only ask whether a device is let in.
 */
export const operatorRole = Type.Enum(['viewer', 'operator', 'admin', 'proxy']);
export type OperatorRole = Static<typeof operatorRole>;

const record = {
  id: recordId,
  name,
  role: operatorRole,
  /** How it signs in. */
  credential: Type.Enum(['token', 'certificate']),
  createdAtMs: timeMs,
};
export const operatorRecord = Type.Object(record, strict);
export type OperatorRecord = Static<typeof operatorRecord>;
export const operatorRecords = page(operatorRecord);
export type OperatorRecords = Static<typeof operatorRecords>;

/** `POST /v1/operators`: with a certificate (DER) it signs in by TLS, without one it gets a token. */
export const createOperator = Type.Object(
  { name, role: operatorRole, certificate: Type.Optional(base64url(WIRE_LIMITS.certificateBytes, 1)) },
  strict,
);
export type CreateOperator = Static<typeof createOperator>;

/** Its answer, the only time that a token is shown. */
export const createdOperator = Type.Object(
  { ...record, token: Type.Optional(Type.String({ maxLength: 256 })) },
  strict,
);
export type CreatedOperator = Static<typeof createdOperator>;
