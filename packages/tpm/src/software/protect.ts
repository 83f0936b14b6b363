// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { encryptAesCfb } from '@vouchsafe/crypto';
import { TpmError } from '../error.ts';
import { tpmHashSize } from '../hash.ts';
import { kdfA, tpmHmac } from '../kdf.ts';
import { tpm2bDigest } from '../structures/buffer.ts';
import type { TpmtPublic } from '../structures/public.ts';

const NOTHING = new Uint8Array();
const ZERO_IV = new Uint8Array(16);

/**
 * The protection that credentials and duplicated objects share: encrypted for the object of this name, then an HMAC over
 * both, each key derived from a seed that only the parent learns. TPM 2.0 Library, Part 1, sections 23.3.2 (outer
 * duplication wrapper) and 24 (credential protection).
 * @param parent the key that the seed was sent to, for its nameAlg and its cipher
 * @param name of the object
 * @param plain a whole TPM2B, its size included
 * @returns a TPM2B with the HMAC, then the encrypted octets
 * @throws {TpmError} 'key_unsupported' for a parent that does not encrypt by AES in CFB mode
 */
export function protect(parent: TpmtPublic, seed: Uint8Array, name: Uint8Array, plain: Uint8Array): Uint8Array {
  const { nameAlg } = parent;
  const keyBits = protectionBits(parent);
  if (nameAlg === 'null') throw new TpmError('key_unsupported', 'expected a parent that has a name');
  const encrypted = encryptAesCfb(kdfA(nameAlg, seed, 'STORAGE', name, NOTHING, keyBits), ZERO_IV, plain);
  const hmacKey = kdfA(nameAlg, seed, 'INTEGRITY', NOTHING, NOTHING, 8 * tpmHashSize(nameAlg));
  return concatBytes(encode(tpm2bDigest, tpmHmac(nameAlg, hmacKey, encrypted, name)), encrypted);
}

function protectionBits(parent: TpmtPublic): number {
  const symmetric = parent.type === 'rsa' || parent.type === 'ecc' ? parent.parameters.symmetric : undefined;
  if (symmetric?.algorithm !== 'aes' || symmetric.details.mode !== 'cfb') {
    throw new TpmError('key_unsupported', 'expected a restricted decryption key with AES in CFB mode, found another');
  }
  return symmetric.details.keyBits;
}
