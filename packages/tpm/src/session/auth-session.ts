// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { decryptAesCfb, encryptAesCfb } from '@vouchsafe/crypto';
import { entityName, type TpmEntity, trimAuth } from '../entity.ts';
import { TpmError } from '../error.ts';
import { tpmDigest, tpmHashSize } from '../hash.ts';
import { kdfA, tpmHmac } from '../kdf.ts';
import type { RandomSource } from '../secret-sharing.ts';
import type { TpmHash } from '../structures/algorithm.ts';

export type SessionKind = 'hmac' | 'policy' | 'trial';

/** What TPM2_StartAuthSession settles. */
export interface SessionState {
  readonly handle: number;
  readonly kind: SessionKind;
  readonly hash: TpmHash;
  /** Of AES in CFB mode; absent in a session that encrypts nothing. */
  readonly keyBits?: 128 | 192 | 256;
  /** Empty where the session is neither salted nor bound. */
  readonly sessionKey: Uint8Array;
  /** True when the key was made of a salt or of an authValue: of something that did not travel in the clear. */
  readonly isSecret: boolean;
  readonly nonceTpm: Uint8Array;
  /** Of what the session is bound to: name, then authValue. */
  readonly bound?: { readonly name: Uint8Array; readonly auth: Uint8Array };
  readonly random: RandomSource;
}

const AES_BLOCK_BITS = 128;

/**
 * A session that a TPM holds, and our half of it: the keys, and the nonces, which roll with each command. TPM 2.0
 * Library, Part 1, section 19.6 (Session-Based Authorizations). One command at a time; not to be used again after an
 * answer that failed its HMAC.
 */
export class AuthSession implements TpmEntity {
  readonly handle: number;
  readonly kind: SessionKind;
  readonly hash: TpmHash;
  readonly keyBits: SessionState['keyBits'];
  /** True when nobody who only listens can derive the session's keys. */
  readonly isSecret: boolean;
  /** False from when the TPM has dropped it, by its last command or by TPM2_FlushContext. */
  isOpen = true;
  /** True after an answer that failed its HMAC: the session is still in the TPM, but not to be used. */
  isRefused = false;
  /** Set by TPM2_PolicyAuthValue and TPM2_PolicyPassword, cleared by the next use and by TPM2_PolicyRestart. */
  needs: 'authValue' | 'password' | 'nothing' = 'nothing';
  /** Over the commands that were audited with it: what TPM2_GetSessionAuditDigest attests. Part 1, Session Audit. */
  auditDigest: Uint8Array | undefined;
  readonly #sessionKey: Uint8Array;
  readonly #bound: SessionState['bound'];
  readonly #random: RandomSource;
  /** Whether the command's HMAC had the authValue in its key; its answer has the same, by then perhaps another value. */
  #addsAuth = false;
  #nonceTpm: Uint8Array;
  #nonceCaller: Uint8Array = new Uint8Array();

  constructor(state: SessionState) {
    this.handle = state.handle;
    this.kind = state.kind;
    this.hash = state.hash;
    this.keyBits = state.keyBits;
    this.isSecret = state.isSecret;
    this.#sessionKey = state.sessionKey;
    this.#bound = state.bound;
    this.#random = state.random;
    this.#nonceTpm = state.nonceTpm;
  }

  get nonceTpm(): Uint8Array {
    return this.#nonceTpm;
  }

  get nonceCaller(): Uint8Array {
    return this.#nonceCaller;
  }

  /**
   * Draws the nonce of the next command.
   * @throws {TpmError} 'session_closed'
   */
  prepare(): void {
    if (!this.isOpen) throw new TpmError('session_closed', 'expected an open session; start another');
    this.#nonceCaller = this.#random(tpmHashSize(this.hash));
  }

  /** Takes over the TPM's nonce of an answer. */
  roll(nonceTpm: Uint8Array): void {
    this.#nonceTpm = nonceTpm.slice();
  }

  /** The command parameter, encrypted: nonceCaller is the newer nonce. Part 1, section 21.3 (CFB). */
  encryptRequest(plain: Uint8Array, auth: Uint8Array): Uint8Array {
    const { key, iv } = this.#cipherKey(auth, this.#nonceCaller, this.#nonceTpm);
    return encryptAesCfb(key, iv, plain);
  }

  /** The response parameter, decrypted; after `roll`, so that nonceTPM is the newer one. Part 1, section 21.3 (CFB). */
  decryptResponse(encrypted: Uint8Array, auth: Uint8Array): Uint8Array {
    const { key, iv } = this.#cipherKey(auth, this.#nonceTpm, this.#nonceCaller);
    return decryptAesCfb(key, iv, encrypted);
  }

  #cipherKey(auth: Uint8Array, newer: Uint8Array, older: Uint8Array): { key: Uint8Array; iv: Uint8Array } {
    const bits = this.keyBits;
    if (bits === undefined) throw new TpmError('argument_invalid', 'expected a session that was started with a cipher');
    const sessionValue = concatBytes(this.#sessionKey, trimAuth(auth));
    const key = kdfA(this.hash, sessionValue, 'CFB', newer, older, bits + AES_BLOCK_BITS);
    return { key: key.subarray(0, bits / 8), iv: key.subarray(bits / 8) };
  }

  /**
   * The HMAC of a command. Part 1, section 19.6.5.
   * @param auth the authValue of what is authorized; undefined where the session authorizes nothing
   * @param otherNonces of the sessions that decrypt and encrypt, for the first session alone
   */
  commandHmac(
    pHash: Uint8Array,
    attributes: number,
    entity: TpmEntity | undefined,
    otherNonces: readonly Uint8Array[],
  ): Uint8Array {
    this.#addsAuth = entity !== undefined && this.#usesAuth(entity);
    return this.#hmac(pHash, [this.#nonceCaller, this.#nonceTpm, ...otherNonces], attributes, entity);
  }

  /** The HMAC that a response must have; after `roll`. Part 1, section 19.6.5. */
  responseHmac(pHash: Uint8Array, attributes: number, entity: TpmEntity | undefined): Uint8Array {
    return this.#hmac(pHash, [this.#nonceTpm, this.#nonceCaller], attributes, entity);
  }

  #hmac(
    pHash: Uint8Array,
    nonces: readonly Uint8Array[],
    attributes: number,
    entity: TpmEntity | undefined,
  ): Uint8Array {
    const auth = entity !== undefined && this.#addsAuth ? trimAuth(entity.auth) : new Uint8Array();
    const key = concatBytes(this.#sessionKey, auth);
    // Part 1, section 19.6.5: a policy session without any key may leave the HMAC out, and its answer does.
    if (key.length === 0 && this.kind !== 'hmac') return key;
    return tpmHmac(this.hash, key, pHash, ...nonces, Uint8Array.of(attributes));
  }

  /** A bound session has the authValue of what it is bound to in its key already. */
  #usesAuth(entity: TpmEntity): boolean {
    if (this.kind !== 'hmac') return this.needs === 'authValue';
    const bound = this.#bound;
    return !(
      bound !== undefined &&
      bytesEqual(bound.name, entityName(entity)) &&
      bytesEqual(bound.auth, trimAuth(entity.auth))
    );
  }

  /** H(old || cpHash || rpHash), from zeros on. TPM 2.0 Library, Part 1, Session Audit. */
  extendAudit(cpHash: Uint8Array, rpHash: Uint8Array): void {
    const old = this.auditDigest ?? new Uint8Array(tpmHashSize(this.hash));
    this.auditDigest = tpmDigest(this.hash, concatBytes(old, cpHash, rpHash));
  }
}
