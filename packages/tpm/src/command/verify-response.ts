// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { decodeAt, encode, u32be } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { tpmDigest } from '../hash.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { tpmaSession, tpmsAuthResponse } from '../structures/session.ts';
import type { Authorization } from './authorization.ts';
import type { AnyCommand } from './command.ts';
import type { Answer } from './read-response.ts';
import { withFirst } from './write-authorization.ts';

/**
 * Checks the authorizations of an answer, rolls the nonces and decrypts. Nothing of the answer is used before.
 * @returns the parameters in the clear
 * @throws {TpmError} 'session_hmac', 'response_malformed' @throws {CodecError}
 */
export function verifyResponseAuth(
  command: AnyCommand,
  { parameters, auth }: Answer,
  authorizations: readonly Authorization[],
  cpHashes: readonly (Uint8Array | undefined)[],
): Uint8Array {
  const rpHashOf = (hash: TpmHash): Uint8Array =>
    tpmDigest(hash, concatBytes(encode(u32be, 0), encode(u32be, command.code), parameters));
  let at = 0;
  for (const [i, { session, entity, attributes }] of authorizations.entries()) {
    const { value, end } = decodeAt(tpmsAuthResponse, auth, at);
    at = end;
    if (session === undefined) {
      if (value.nonce.length + value.hmac.length > 0) throw refused(command, 'an empty authorization of a password');
      continue;
    }
    session.roll(value.nonce);
    const rpHash = rpHashOf(session.hash);
    const word = encode(tpmaSession, value.sessionAttributes)[0] as number;
    // Part 3, TPM2_PolicyPassword: the answer to a password has no HMAC, whatever keys the session has.
    const isPassword = session.needs === 'password' && entity !== undefined;
    const expected = isPassword ? new Uint8Array() : session.responseHmac(rpHash, word, entity);
    if (!equalInConstantTime(value.hmac, expected)) {
      session.isOpen = false;
      session.isRefused = true;
      throw refused(command, 'the HMAC of the TPM');
    }
    if (attributes.audit) session.extendAudit(cpHashes[i] as Uint8Array, rpHash);
    if (session.kind === 'policy' && entity !== undefined) session.needs = 'nothing';
    if (!value.sessionAttributes.continueSession) session.isOpen = false;
  }
  if (at !== auth.length) {
    const message = `${command.name}: expected ${authorizations.length} authorizations, found ${auth.length - at} octets more`;
    throw new TpmError('response_malformed', message);
  }
  const encrypting = authorizations.find(({ attributes }) => attributes.encrypt);
  if (encrypting?.session === undefined) return parameters;
  const { session, entity } = encrypting;
  if (parameters.length < 2)
    throw new TpmError('response_malformed', `${command.name}: expected an encrypted parameter`);
  return withFirst(parameters, (first) => session.decryptResponse(first, entity?.auth ?? new Uint8Array()));
}

function refused({ name }: AnyCommand, expected: string): TpmError {
  const next = 'something on the way changed the answer, or the authValue is not that of the entity';
  return new TpmError('session_hmac', `${name}: expected ${expected} on the answer, found another; ${next}`);
}

/** So that the time it takes says nothing of where two HMACs differ. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}
