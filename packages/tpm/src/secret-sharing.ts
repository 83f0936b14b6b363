// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { CryptoError, ecdhSharedX, ecPointOf, encryptRsaOaep, importPublicKey } from '@vouchsafe/crypto';
import { TpmError } from './error.ts';
import { digestAlgorithmOf, tpmHashSize } from './hash.ts';
import { kdfE } from './kdf.ts';
import { CRYPTO_CURVES, isTpmCurve, padParameter, spkiOf, TPM_CURVES } from './spki.ts';
import type { TpmHash } from './structures/algorithm.ts';
import { type TpmtPublic, tpmsEccPoint } from './structures/public.ts';

/** Random octets, fit for keys: `randomBytes` of @vouchsafe/crypto/signing, or crypto.getRandomValues in a page. */
export type RandomSource = (sizeBytes: number) => Uint8Array;

/** What the secret is for; it goes into the encryption, so that one use cannot be passed off as another. */
export type SecretLabel = 'SECRET' | 'IDENTITY' | 'DUPLICATE';

/** A secret that only the owner of a key learns. */
export interface SharedSecret {
  readonly secret: Uint8Array;
  /** The contents of a TPM2B_ENCRYPTED_SECRET. */
  readonly encrypted: Uint8Array;
}

/** Random scalars tried at most; of P-256 one in 2^32 is out of range, of P-521 every second after masking. */
const MAX_TRIES = 128;

/**
 * Shares a secret, as long as the key's nameAlg, with whoever holds the private part of a decryption key. TPM 2.0
 * Library, Part 1, annexes B (RSA, by OAEP) and C (ECC, by one-pass Diffie-Hellman), Secret Sharing: salts, credentials and duplication
 * seeds are all sent so.
 * @throws {TpmError} 'key_unsupported' for a key that is no RSA or NIST-curve decryption key; 'algorithm_unsupported'
 */
export function shareSecret(area: TpmtPublic, label: SecretLabel, random: RandomSource): SharedSecret {
  const { nameAlg } = area;
  if (nameAlg === 'null' || !area.objectAttributes.decrypt) {
    throw new TpmError('key_unsupported', 'expected a decryption key with a name, found another');
  }
  if (area.type === 'rsa') return shareByRsa(area, nameAlg, label, random);
  if (area.type === 'ecc') return shareByEcc(area, nameAlg, label, random);
  throw new TpmError('key_unsupported', `expected an RSA or ECC key, found ${area.type}`);
}

function shareByRsa(area: TpmtPublic, hash: TpmHash, label: SecretLabel, random: RandomSource): SharedSecret {
  const secret = random(tpmHashSize(hash));
  const parameters = {
    hash: digestAlgorithmOf(hash),
    // Part 1, annex B, RSAES_OAEP: the label is a string with its zero.
    label: concatBytes(ascii(label), Uint8Array.of(0)),
    seed: random(tpmHashSize(hash)),
  };
  return withKeyErrors(() => ({
    secret,
    encrypted: encryptRsaOaep(importPublicKey(spkiOf(area)), secret, parameters),
  }));
}

function shareByEcc(
  area: Extract<TpmtPublic, { type: 'ecc' }>,
  hash: TpmHash,
  label: SecretLabel,
  random: RandomSource,
): SharedSecret {
  const { curveID } = area.parameters;
  if (!isTpmCurve(curveID)) throw new TpmError('key_unsupported', `expected a NIST curve, found ${curveID}`);
  const { sizeBytes } = TPM_CURVES[curveID];
  const curve = CRYPTO_CURVES[curveID];
  const x = padParameter(area.unique.x, sizeBytes);
  const y = padParameter(area.unique.y, sizeBytes);
  if (x === undefined || y === undefined) throw new TpmError('key_unsupported', 'expected shorter coordinates');
  const { scalar, point } = ephemeralKey(curve, sizeBytes, random);
  const z = withKeyErrors(() => ecdhSharedX(curve, scalar, concatBytes(Uint8Array.of(0x04), x, y)));
  const ephemeral = { x: point.slice(1, 1 + sizeBytes), y: point.slice(1 + sizeBytes) };
  const secret = kdfE(hash, z, label, ephemeral.x, x, 8 * tpmHashSize(hash));
  return { secret, encrypted: encode(tpmsEccPoint, ephemeral) };
}

function ephemeralKey(
  curve: Parameters<typeof ecPointOf>[0],
  sizeBytes: number,
  random: RandomSource,
): { scalar: Uint8Array; point: Uint8Array } {
  for (let i = 0; i < MAX_TRIES; i++) {
    const scalar = random(sizeBytes);
    // P-521's order has 521 bits: of the first octet only the lowest counts.
    if (curve === 'P-521') scalar[0] = (scalar[0] as number) & 1;
    try {
      return { scalar, point: ecPointOf(curve, scalar) };
    } catch (error) {
      // Out of range: another is drawn. Anything else is not about the draw.
      if (!(error instanceof CryptoError) || error.code !== 'invalid_input') throw error;
    }
  }
  throw new TpmError('argument_invalid', `expected random octets, found none in ${MAX_TRIES} draws that make a key`);
}

function withKeyErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    const code = cause.code === 'unsupported' ? 'algorithm_unsupported' : 'key_unsupported';
    throw new TpmError(code, `expected a key that secrets can be sent to: ${cause.message}`, { cause });
  }
}
