// SPDX-License-Identifier: Apache-2.0
import { ServerError } from '../../error.ts';

/** SPIFFE-ID, 2.1: lower case letters, digits, dots, dashes and underscores. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;

/** @throws {ServerError} 'configuration_invalid' */
export function requireTrustDomain(name: string): void {
  if (TRUST_DOMAIN.test(name)) return;
  const expected = 'expected a SPIFFE trust domain: lower case letters, digits, dots, dashes and underscores';
  throw new ServerError('configuration_invalid', `${expected}, found '${name}'`);
}

/** The SPIFFE ID of a machine; a device id is a path segment as it is. SPIFFE-ID, 2. */
export const spiffeIdOf = (trustDomain: string, deviceId: string): string =>
  `spiffe://${trustDomain}/device/${deviceId}`;
