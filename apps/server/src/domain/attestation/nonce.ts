// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { hmac } from '@vouchsafe/crypto';
import { ServerError } from '../../error.ts';
import { drawRandom } from '../random.ts';

/** The key under which this service makes and knows its nonces. */
export interface NonceKey {
  readonly bytes: Uint8Array;
}

/** What a challenge asks for beside freshness; it is in the nonce, so that nothing needs to be kept. */
export interface NonceTerms {
  /** The PCRs of a dynamic launch are wanted too. */
  readonly wantsLaunch: boolean;
}

export interface IssuedNonce extends NonceTerms {
  readonly issuedAtMs: number;
}

/** Instances' clocks differ by so much at most. */
export const SKEW_MS = 5_000;

/**
 * 34 octets, what the smallest TPM takes as qualifyingData (a TPMT_HA with SHA-256; TPM 2.0 Library, Part 2, 10.4.3): 42 bits
 * of time in milliseconds, 6 of terms, 20 random octets, and 8 of an HMAC over these, the device and its attestation key.
 */
export const NONCE_BYTES = 34;
const RANDOM_BYTES = 20;
const HEAD_BYTES = 6;
const BODY_BYTES = HEAD_BYTES + RANDOM_BYTES;
const MAC_BYTES = NONCE_BYTES - BODY_BYTES;
const TERMS = 64;
const WANTS_LAUNCH = 1;

/** Whom a nonce is for: this device with this key; after a reset it is another's. */
export interface NonceBearer {
  readonly deviceId: string;
  readonly akName: string;
}

/** A nonce of this moment; nothing is kept of it. */
export function issueNonce(key: NonceKey, bearer: NonceBearer, nowMs: number, { wantsLaunch }: NonceTerms): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  const head = nowMs * TERMS + (wantsLaunch ? WANTS_LAUNCH : 0);
  const view = new DataView(nonce.buffer);
  view.setUint16(0, Math.floor(head / 2 ** 32));
  view.setUint32(2, head % 2 ** 32);
  nonce.set(drawRandom(RANDOM_BYTES), HEAD_BYTES);
  nonce.set(macOf(key, bearer, nonce.subarray(0, BODY_BYTES)), BODY_BYTES);
  return nonce;
}

/**
 * What a nonce says, if it is one of this service's for this device.
 * @throws {ServerError} 'challenge_invalid'
 */
export function openNonce(key: NonceKey, bearer: NonceBearer, nonce: Uint8Array): IssuedNonce {
  const isOurs =
    nonce.length === NONCE_BYTES &&
    isSameMac(nonce.subarray(BODY_BYTES), macOf(key, bearer, nonce.subarray(0, BODY_BYTES)));
  if (!isOurs) {
    throw new ServerError(
      'challenge_invalid',
      'expected the nonce of a challenge for this device; ask for a new challenge',
    );
  }
  const view = new DataView(nonce.buffer, nonce.byteOffset);
  const head = view.getUint16(0) * 2 ** 32 + view.getUint32(2);
  return { issuedAtMs: Math.floor(head / TERMS), wantsLaunch: (head & WANTS_LAUNCH) !== 0 };
}

/**
 * In a time that does not depend on where they differ: who could measure how much of a MAC is right could make nonces of times
 * to come, and have them quoted in advance.
 */
function isSameMac(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [i, octet] of b.entries()) difference |= octet ^ (a[i] ?? 0);
  return difference === 0;
}

/** The names have no zero in them, so that no two bearers give the same octets. */
function macOf(key: NonceKey, { deviceId, akName }: NonceBearer, body: Uint8Array): Uint8Array {
  const message = concatBytes(utf8(`vouchsafe-nonce-1\0${deviceId}\0${akName}\0`), body);
  return hmac('sha256', key.bytes, message).subarray(0, MAC_BYTES);
}
