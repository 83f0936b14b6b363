// SPDX-License-Identifier: Apache-2.0
import { encodeEmeOaep, type OaepParameters } from '../eme-oaep.ts';
import { CryptoError } from '../error.ts';
import { bigintToBytes, bytesToBigint, modularPower } from '../modular-power.ts';
import type { PublicKey } from '../types.ts';
import { digest, hashOf } from './digest.ts';
import { importedKey } from './public-key.ts';

/**
 * RSAES-OAEP. RFC 8017, section 7.1.1, with the seed as an argument: randomness is the caller's. The modular power
 * takes a time that depends on the message: whoever can measure it to the microsecond is in the page already.
 * @returns as many octets as the modulus has
 * @throws {CryptoError} 'key_mismatch' for a key that is not RSA; 'invalid_input', 'unsupported'
 */
export function encryptRsaOaep(key: PublicKey, message: Uint8Array, parameters: OaepParameters): Uint8Array {
  const material = importedKey(key);
  if (material.kind !== 'rsa') throw new CryptoError('key_mismatch', 'RSAES-OAEP needs an RSA key');
  hashOf(parameters.hash);
  const encoded = encodeEmeOaep(message, material.modulus.length, parameters, digest);
  const power = modularPower(bytesToBigint(encoded), BigInt(material.exponent), bytesToBigint(material.modulus));
  return bigintToBytes(power, material.modulus.length);
}
