// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes, utf8 } from '@vouchsafe/base';
import { encryptAesGcm, encryptRsaOaep } from '@vouchsafe/crypto';
import { randomBytes } from '@vouchsafe/crypto/signing';
import type { VerifiedKey } from '@vouchsafe/identity';
import { importKey } from '@vouchsafe/pki';
import { encodeBase64url, type GrantedSecret, SECRET_LABEL } from '@vouchsafe/protocol';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;

type Granted = Extract<GrantedSecret, { readonly state: 'granted' }>;

/**
 * A secret for one machine: under a fresh key, which that machine's TPM alone opens. Whoever reads the answer on its way, or
 * has it sent elsewhere, has nothing.
 * @param key of the same machine, certified by its attestation key: `VerifiedKey`, so no other can be given
 */
export function wrapSecret(
  secret: { readonly name: string; readonly version: number; readonly plain: Uint8Array },
  deviceId: string,
  key: Pick<VerifiedKey<'decryption'>, 'spki' | 'use'>,
): Granted {
  const { name, version, plain } = secret;
  const contentKey = randomBytes(KEY_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const parameters = { hash: 'sha256', label: ascii(SECRET_LABEL), seed: randomBytes(32) } as const;
  const wrappedKey = encryptRsaOaep(importKey(key.spki), contentKey, parameters);
  const box = concatBytes(nonce, encryptAesGcm(contentKey, nonce, plain, secretContext(deviceId, name)));
  contentKey.fill(0);
  return { name, state: 'granted', version, wrappedKey: encodeBase64url(wrappedKey), box: encodeBase64url(box) };
}

/** The associated data of a secret's box: whose it is, and which. */
export function secretContext(deviceId: string, name: string): Uint8Array {
  return utf8(`${deviceId}\0${name}`);
}
