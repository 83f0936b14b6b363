// SPDX-License-Identifier: Apache-2.0
import { constants, publicEncrypt } from 'node:crypto';
import { encodeEmeOaep, type OaepParameters } from '../eme-oaep.ts';
import { CryptoError } from '../error.ts';
import type { PublicKey } from '../types.ts';
import { digest, opensslName } from './digest.ts';
import { importedKey } from './public-key.ts';

/**
 * RSAES-OAEP. RFC 8017, section 7.1.1, with the seed as an argument: randomness is the caller's.
 * @returns as many octets as the modulus has
 * @throws {CryptoError} 'key_mismatch' for a key that is not RSA; 'invalid_input', 'unsupported'
 */
export function encryptRsaOaep(key: PublicKey, message: Uint8Array, parameters: OaepParameters): Uint8Array {
  const { material, handle } = importedKey(key);
  if (material.kind !== 'rsa') throw new CryptoError('key_mismatch', 'RSAES-OAEP needs an RSA key');
  opensslName(parameters.hash);
  const encoded = encodeEmeOaep(message, material.modulus.length, parameters, digest);
  return new Uint8Array(publicEncrypt({ key: handle, padding: constants.RSA_NO_PADDING }, encoded));
}
