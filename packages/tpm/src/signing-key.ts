// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { CryptoError, importPublicKey, type PublicKey, type SignatureScheme, verifySignature } from '@vouchsafe/crypto';
import { TpmError } from './error.ts';
import { digestAlgorithmOf } from './hash.ts';
import { padParameter, spkiOf } from './spki.ts';
import type { TpmHash } from './structures/algorithm.ts';
import type { TpmtPublic } from './structures/public.ts';
import type { TpmtSignature } from './structures/signature.ts';

/** The signatures that are checked here. */
type CheckedSignature = Extract<TpmtSignature, { sigAlg: 'rsassa' | 'rsapss' | 'ecdsa' }>;

const isChecked = (signature: TpmtSignature): signature is CheckedSignature =>
  ['rsassa', 'rsapss', 'ecdsa'].includes(signature.sigAlg);

/** How a TPM signs. */
export interface TpmSigningScheme {
  readonly scheme: CheckedSignature['sigAlg'];
  readonly hash: TpmHash;
}

/** A public key that a TPM signs with, imported once and used for many checks. */
export interface TpmSigningKey {
  readonly publicKey: PublicKey;
  /** The only scheme the key signs with; absent where the key leaves it to each signature. */
  readonly scheme?: TpmSigningScheme;
}

/** Imports keys; a PublicKeyCache of @vouchsafe/crypto fits. */
export interface KeySource {
  import(spki: Uint8Array): PublicKey;
}

const WITHOUT_CACHE: KeySource = { import: importPublicKey };

/**
 * The key of a public area, and the scheme that its parameters fix.
 * @throws {TpmError} 'key_unsupported' for a key that cannot sign, or on a curve that is not checked here
 */
export function importSigningKey(area: TpmtPublic, keys: KeySource = WITHOUT_CACHE): TpmSigningKey {
  if (!area.objectAttributes.signEncrypt)
    throw new TpmError('key_unsupported', 'expected a signing key, found another');
  const scheme = fixedScheme(area);
  return { ...signingKeyFromSpki(spkiOf(area), keys), ...(scheme === undefined ? {} : { scheme }) };
}

/**
 * A key known only by its SubjectPublicKeyInfo, such as a PEM file that a tool wrote.
 * @throws {TpmError} 'key_unsupported'
 */
export function signingKeyFromSpki(spki: Uint8Array, keys: KeySource = WITHOUT_CACHE): TpmSigningKey {
  try {
    return { publicKey: keys.import(spki) };
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new TpmError('key_unsupported', `expected a key that signatures can be checked with: ${cause.message}`, {
      cause,
    });
  }
}

function fixedScheme(area: TpmtPublic): TpmSigningScheme | undefined {
  if (area.type !== 'rsa' && area.type !== 'ecc') return undefined;
  const { scheme } = area.parameters;
  switch (scheme.scheme) {
    case 'null':
      return undefined;
    case 'rsassa':
    case 'rsapss':
    case 'ecdsa':
      return { scheme: scheme.scheme, hash: scheme.details.hashAlg };
    default:
      throw new TpmError('key_unsupported', `expected the scheme rsassa, rsapss or ecdsa, found ${scheme.scheme}`);
  }
}

/** The scheme and the octets of a TPMT_SIGNATURE as @vouchsafe/crypto takes them; undefined where they cannot be valid. */
function inputsOf(
  key: PublicKey,
  signature: CheckedSignature,
): { scheme: SignatureScheme; octets: Uint8Array } | undefined {
  const hash = digestAlgorithmOf(signature.signature.hash);
  if (signature.sigAlg !== 'ecdsa') {
    const scheme: SignatureScheme =
      signature.sigAlg === 'rsassa'
        ? { kind: 'rsa-pkcs1', hash }
        : // TPMs before revision 1.59 take the longest salt, later ones the digest's length (Part 1, section B.7).
          { kind: 'rsa-pss', hash, saltSize: 'any' };
    return { scheme, octets: signature.signature.sig };
  }
  if (key.algorithm.kind !== 'ec')
    return { scheme: { kind: 'ecdsa', hash, encoding: 'raw' }, octets: new Uint8Array() };
  const sizeBytes = COORDINATE_BYTES[key.algorithm.curve];
  const r = padParameter(signature.signature.signatureR, sizeBytes);
  const s = padParameter(signature.signature.signatureS, sizeBytes);
  if (r === undefined || s === undefined) return undefined;
  return { scheme: { kind: 'ecdsa', hash, encoding: 'raw' }, octets: concatBytes(r, s) };
}

/** The hash that was signed; undefined of a scheme that is not checked here. */
export function signatureHash(signature: TpmtSignature): TpmHash | undefined {
  return isChecked(signature) ? signature.signature.hash : undefined;
}

/** FIPS 186-5 and SP 800-186. */
const COORDINATE_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const;

/**
 * Whether the signature is the key's over the message. A signature of another scheme than the key's is an error and not
 * false: it says that something was mixed up, not that bits are wrong.
 * @throws {TpmError} 'signature_scheme', 'algorithm_unsupported'
 */
export function isTpmSignature(key: TpmSigningKey, message: Uint8Array, signature: TpmtSignature): boolean {
  const { publicKey, scheme } = key;
  if (!isChecked(signature)) {
    throw new TpmError(
      'signature_scheme',
      `expected a signature by rsassa, rsapss or ecdsa, found ${signature.sigAlg}`,
    );
  }
  const { hash } = signature.signature;
  if (scheme !== undefined && (scheme.scheme !== signature.sigAlg || scheme.hash !== hash)) {
    const expected = `${scheme.scheme} with ${scheme.hash}`;
    throw new TpmError(
      'signature_scheme',
      `expected a signature by ${expected}, found ${signature.sigAlg} with ${hash}`,
    );
  }
  try {
    const inputs = inputsOf(publicKey, signature);
    return inputs !== undefined && verifySignature(publicKey, inputs.scheme, message, inputs.octets);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    const code = cause.code === 'key_mismatch' ? 'signature_scheme' : 'algorithm_unsupported';
    throw new TpmError(code, `expected a signature that fits the key: ${cause.message}`, { cause });
  }
}
