// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { execute } from '../command/execute.ts';
import { tpm2StartAuthSession } from '../commands/session.ts';
import { entityName, type TpmEntity, trimAuth } from '../entity.ts';
import { TpmError } from '../error.ts';
import { tpmHashSize } from '../hash.ts';
import { kdfA } from '../kdf.ts';
import { nameOf, type PublicArea } from '../name.ts';
import { type RandomSource, shareSecret } from '../secret-sharing.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { TPM_RH } from '../structures/handle.ts';
import type { TpmTransport } from '../transport.ts';
import { AuthSession, type SessionKind } from './auth-session.ts';

/** A loaded decryption key that a salt is sent to. */
export interface SaltKey {
  readonly handle: number;
  /**
   * Its public area, as the caller knows it: from an EK certificate, or from when the machine was set up. One that was
   * read from the TPM a moment ago may be that of whoever sits between.
   */
  readonly area: PublicArea;
}

export interface SessionOptions {
  readonly kind: SessionKind;
  /** Fit for keys. */
  readonly random: RandomSource;
  /** SHA-256 unless given. For a policy session: the nameAlg of what it authorizes. */
  readonly hash?: TpmHash;
  readonly salt?: SaltKey;
  /** Its authValue goes into the session's key. */
  readonly bind?: TpmEntity;
  /** Of AES in CFB mode, for parameters; 128 unless given. */
  readonly keyBits?: 128 | 192 | 256;
}

const EMPTY = new Uint8Array();

/**
 * Starts a session. Its key, and so whether it hides anything: TPM 2.0 Library, Part 1, section 19.6.8 (sessionKey
 * Creation). Whoever starts one flushes it: see `withSession`.
 * @throws as `execute` and `shareSecret`
 */
export async function startSession(tpm: TpmTransport, options: SessionOptions): Promise<AuthSession> {
  const { kind, random, hash = 'sha256', salt, bind, keyBits = 128 } = options;
  const nonceCaller = random(tpmHashSize(hash));
  const shared = salt === undefined ? undefined : shareSecret(salt.area.value, 'SECRET', random);
  const { sessionHandle: handle, nonceTPM } = await execute(tpm, tpm2StartAuthSession, {
    tpmKey: salt === undefined ? TPM_RH.null : { handle: salt.handle, name: nameOf(salt.area) },
    bind: bind ?? TPM_RH.null,
    nonceCaller,
    encryptedSalt: shared?.encrypted ?? EMPTY,
    sessionType: kind,
    symmetric: { algorithm: 'aes', details: { keyBits, mode: 'cfb' } },
    authHash: hash,
  });
  if (nonceTPM.length < MIN_NONCE_BYTES) {
    throw new TpmError(
      'response_malformed',
      `TPM2_StartAuthSession: expected a nonce, found ${nonceTPM.length} octets`,
    );
  }
  const auth = trimAuth(bind?.auth);
  const key = concatBytes(auth, shared?.secret ?? EMPTY);
  const isKeyed = shared !== undefined || bind !== undefined;
  const bits = 8 * tpmHashSize(hash);
  return new AuthSession({
    handle,
    kind,
    hash,
    keyBits,
    sessionKey: isKeyed ? kdfA(hash, key, 'ATH', nonceTPM, nonceCaller, bits) : EMPTY,
    isSecret: key.length > 0,
    nonceTpm: nonceTPM.slice(),
    ...(bind === undefined || kind !== 'hmac' ? {} : { bound: { name: entityName(bind), auth } }),
    random,
  });
}

/** A TPM's nonce has at least 16 octets. TPM 2.0 Library, Part 3, section 11.1. */
const MIN_NONCE_BYTES = 16;
