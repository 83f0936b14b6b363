// SPDX-License-Identifier: Apache-2.0
import type { EarClaims } from '@vouchsafe/appraise';
import type { Signer } from '@vouchsafe/pki';
import { type SigningJwk, signJwt, verifyJwt } from './jws.ts';

/** RFC 9782, 2: an attestation token as a JWT. */
const TYPE = 'eat+jwt';

/** An attestation result as relying parties get it: draft-ietf-rats-ear as a JWT signed with ES256. */
export const signEar = (claims: EarClaims, signer: Signer): Promise<string> => signJwt(claims, TYPE, signer);

/**
 * The claims of an attestation result that one of the keys has signed and that has not expired; undefined otherwise.
 * @param nowMs milliseconds since 1970, UTC
 */
export function verifyEar(token: string, keys: readonly SigningJwk[], nowMs: number): EarClaims | undefined {
  const claims = verifyJwt(token, TYPE, keys) as Partial<EarClaims> | undefined;
  const isEar = typeof claims?.eat_profile === 'string' && typeof claims.submods === 'object';
  return isEar && typeof claims.exp === 'number' && claims.exp * 1000 > nowMs ? (claims as EarClaims) : undefined;
}
