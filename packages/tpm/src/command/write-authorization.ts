// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import { entityName, type TpmEntity, trimAuth } from '../entity.ts';
import { tpmDigest } from '../hash.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { TPM_RH } from '../structures/handle.ts';
import { tpmaSession, tpmsAuthCommand } from '../structures/session.ts';
import type { Authorization } from './authorization.ts';
import type { AnyCommand } from './command.ts';

/** What goes onto the wire. */
interface WrittenRequest {
  /** The authorization area, without its size. */
  readonly area: Uint8Array;
  /** The parameters, the first of them encrypted where a session does that. */
  readonly parameters: Uint8Array;
  /** cpHash by each session's hash, in the order of the authorizations; undefined for passwords. */
  readonly cpHashes: readonly (Uint8Array | undefined)[];
}

/**
 * Encrypts, hashes and authorizes, in this order: cpHash is over what is sent. TPM 2.0 Library, Part 1, sections 18.7
 * (cpHash) and 19.6.5.
 */
export function writeAuthorizations(
  command: AnyCommand,
  entities: readonly TpmEntity[],
  plain: Uint8Array,
  authorizations: readonly Authorization[],
): WrittenRequest {
  for (const { session } of authorizations) session?.prepare();
  const decrypting = authorizations.find(({ attributes }) => attributes.decrypt);
  const encrypting = authorizations.find(({ attributes }) => attributes.encrypt);
  const parameters =
    decrypting?.session === undefined
      ? plain
      : withFirst(plain, (first) => decrypting.session!.encryptRequest(first, decrypting.entity?.auth ?? EMPTY));
  const hasSession = authorizations.some(({ session }) => session !== undefined);
  const names = hasSession ? entities.map(entityName) : [];
  const cpHashOf = (hash: TpmHash): Uint8Array =>
    tpmDigest(hash, concatBytes(encode(u32be, command.code), ...names, parameters));
  // The nonces of the sessions that encrypt, so that nobody takes those sessions off on the way.
  const others = [decrypting, encrypting].map((one) => one?.session);
  const cpHashes = authorizations.map(({ session }) => (session === undefined ? undefined : cpHashOf(session.hash)));
  const area = authorizations.map(({ session, entity, attributes }, i) => {
    if (session === undefined) {
      const password = trimAuth(entity?.auth);
      const sessionHandle = TPM_RH.passwordSession;
      return encode(tpmsAuthCommand, { sessionHandle, nonce: EMPTY, sessionAttributes: attributes, hmac: password });
    }
    const nonces =
      i > 0 ? [] : [...new Set(others)].flatMap((o) => (o === undefined || o === session ? [] : [o.nonceTpm]));
    const word = encode(tpmaSession, attributes)[0] as number;
    const hmac =
      session.needs === 'password' && entity !== undefined
        ? trimAuth(entity.auth)
        : session.commandHmac(cpHashes[i] as Uint8Array, word, entity, nonces);
    const { handle: sessionHandle, nonceCaller: nonce } = session;
    return encode(tpmsAuthCommand, { sessionHandle, nonce, sessionAttributes: attributes, hmac });
  });
  return { area: concatBytes(...area), parameters, cpHashes };
}

const EMPTY = new Uint8Array();

/** The parameters with the octets of the first TPM2B, its size left as it is, put through `change`. */
export function withFirst(parameters: Uint8Array, change: (first: Uint8Array) => Uint8Array): Uint8Array {
  const size = new DataView(parameters.buffer, parameters.byteOffset, parameters.byteLength).getUint16(0);
  const first = parameters.subarray(2, 2 + size);
  return concatBytes(parameters.subarray(0, 2), change(first), parameters.subarray(2 + size));
}
