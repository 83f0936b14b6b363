// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toHex } from '@vouchsafe/base';
import { type EcCurve, importPublicKey } from '@vouchsafe/crypto';
import {
  decodeInteger,
  decodeOctetBits,
  decodeOid,
  encodeBitString,
  encodeInteger,
  encodeNull,
  encodeOid,
  encodeSequence,
  OID,
  openDerSequence,
  readAlgorithm,
  TAG,
} from '@vouchsafe/pki';
import { TpmError } from './error.ts';
import type { TpmHash } from './structures/algorithm.ts';
import type { TpmaObject } from './structures/attributes.ts';
import type { TpmtPublic } from './structures/public.ts';
import type { TpmtEccScheme, TpmtRsaScheme } from './structures/scheme.ts';

/** The exponent that a 0 in TPMS_RSA_PARMS stands for. TPM 2.0 Library, Part 2, section 12.2.3.5. */
const DEFAULT_EXPONENT = 65_537;

/** The curves we check signatures on: their identifiers (RFC 5480, section 2.1.1.1) and octets of a coordinate. */
export const TPM_CURVES = {
  nistP256: { oid: '1.2.840.10045.3.1.7', sizeBytes: 32 },
  nistP384: { oid: '1.3.132.0.34', sizeBytes: 48 },
  nistP521: { oid: '1.3.132.0.35', sizeBytes: 66 },
} as const;
export type TpmCurve = keyof typeof TPM_CURVES;

/** The names that @vouchsafe/crypto has for them. */
export const CRYPTO_CURVES: Readonly<Record<TpmCurve, EcCurve>> = {
  nistP256: 'P-256',
  nistP384: 'P-384',
  nistP521: 'P-521',
};

/** True for a curve that a public key can be imported for; P-224, BN and SM2 are none. */
export function isTpmCurve(curve: unknown): curve is TpmCurve {
  return typeof curve === 'string' && Object.hasOwn(TPM_CURVES, curve);
}

const toBigint = (bytes: Uint8Array): bigint => (bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`));

/**
 * Big-endian octets of a fixed length. A TPM may leave out leading zeros of an ECC parameter (TPM 2.0 Library, Part 1,
 * annex C, ECC Point Padding); undefined where the number does not fit.
 */
export function padParameter(bytes: Uint8Array, sizeBytes: number): Uint8Array | undefined {
  if (bytes.length > sizeBytes) return undefined;
  return concatBytes(new Uint8Array(sizeBytes - bytes.length), bytes);
}

/**
 * SubjectPublicKeyInfo of a public area's key, DER. RFC 5280, section 4.1; RFC 3279, section 2.3.1; RFC 5480.
 * @throws {TpmError} 'key_unsupported' for what is no RSA or NIST-curve key, or whose sizes contradict each other
 */
export function spkiOf(area: TpmtPublic): Uint8Array {
  if (area.type === 'rsa') {
    const { keyBits, exponent } = area.parameters;
    if (area.unique.length * 8 !== keyBits) {
      throw unsupported(`a modulus of keyBits = ${keyBits} bits`, `${area.unique.length} octets`);
    }
    const key = encodeSequence(
      encodeInteger(toBigint(area.unique)),
      encodeInteger(BigInt(exponent === 0 ? DEFAULT_EXPONENT : exponent)),
    );
    return encodeSequence(encodeSequence(encodeOid(OID.rsaEncryption), encodeNull()), encodeBitString(key));
  }
  if (area.type !== 'ecc') throw unsupported('an RSA or ECC key', area.type);
  const { curveID } = area.parameters;
  if (!isTpmCurve(curveID)) throw unsupported(`a curve of ${Object.keys(TPM_CURVES).join(', ')}`, String(curveID));
  const { oid, sizeBytes } = TPM_CURVES[curveID];
  const x = padParameter(area.unique.x, sizeBytes);
  const y = padParameter(area.unique.y, sizeBytes);
  if (x === undefined || y === undefined) throw unsupported(`coordinates of ${sizeBytes} octets`, 'longer ones');
  return encodeSequence(
    encodeSequence(encodeOid(OID.ecPublicKey), encodeOid(oid)),
    encodeBitString(concatBytes(Uint8Array.of(0x04), x, y)),
  );
}

const unsupported = (expected: string, found: string): TpmError =>
  new TpmError('key_unsupported', `public area: expected ${expected}, found ${found}`);

/** What a SubjectPublicKeyInfo does not say of an object. */
export interface PublicAreaOptions {
  readonly nameAlg: TpmHash;
  readonly objectAttributes: TpmaObject;
  /** Empty unless given. */
  readonly authPolicy?: Uint8Array;
  /**
   * How to write the RSA exponent 65,537, for which there are two encodings and so two names: as 0, which is the default
   * here and TPMs write themselves, or as the number, which tpm2-tools writes for PEM keys.
   */
  readonly rsaDefaultExponent?: 'zero' | 'number';
  /** Null unless given, so that each signature chooses. */
  readonly rsaScheme?: TpmtRsaScheme;
  /** Null unless given. */
  readonly eccScheme?: TpmtEccScheme;
}

const NULL_SYMMETRIC = { algorithm: 'null', details: {} } as const;

/**
 * The public area of a software key as TPM2_LoadExternal takes it. The name depends on every field: two programs agree
 * on it only if they agree on the options.
 * @param spki DER of SubjectPublicKeyInfo
 * @throws {TpmError} 'key_unsupported' for other than RSA and the curves P-256, P-384 and P-521
 */
export function publicAreaFromSpki(spki: Uint8Array, options: PublicAreaOptions): TpmtPublic {
  const { algorithm } = importKey(spki);
  const { nameAlg, objectAttributes, authPolicy = new Uint8Array() } = options;
  const common = { nameAlg, objectAttributes, authPolicy };
  const info = openDerSequence(spki, 'SubjectPublicKeyInfo');
  const { parameters } = readAlgorithm(info, 'algorithm');
  const key = decodeOctetBits(info.read('subjectPublicKey', TAG.bitString));
  if (algorithm.kind === 'rsa') {
    const rsa = openDerSequence(key, 'RSAPublicKey');
    const modulus = decodeInteger(rsa.read('modulus', TAG.integer));
    const exponent = Number(decodeInteger(rsa.read('publicExponent', TAG.integer)));
    const unique = Uint8Array.from(
      modulus
        .toString(16)
        .padStart(algorithm.bits / 4, '0')
        .match(/../g) ?? [],
      (pair) => Number.parseInt(pair, 16),
    );
    const isZero = exponent === DEFAULT_EXPONENT && options.rsaDefaultExponent !== 'number';
    const scheme = options.rsaScheme ?? { scheme: 'null', details: {} };
    return {
      ...common,
      type: 'rsa',
      parameters: {
        symmetric: NULL_SYMMETRIC,
        scheme,
        keyBits: algorithm.bits,
        exponent: isZero ? 0 : exponent,
      },
      unique,
    };
  }
  const oid = parameters === undefined ? undefined : decodeOid(parameters);
  const curveID = (Object.keys(TPM_CURVES) as TpmCurve[]).find((name) => TPM_CURVES[name].oid === oid);
  if (curveID === undefined || key[0] !== 0x04)
    throw unsupported('an uncompressed point of a NIST curve', 'another key');
  const { sizeBytes } = TPM_CURVES[curveID];
  return {
    ...common,
    type: 'ecc',
    parameters: {
      symmetric: NULL_SYMMETRIC,
      scheme: options.eccScheme ?? { scheme: 'null', details: {} },
      curveID,
      kdf: { scheme: 'null', details: {} },
    },
    unique: { x: key.slice(1, 1 + sizeBytes), y: key.slice(1 + sizeBytes) },
  };
}

function importKey(spki: Uint8Array): ReturnType<typeof importPublicKey> {
  try {
    return importPublicKey(spki);
  } catch (cause) {
    throw new TpmError('key_unsupported', 'expected the SubjectPublicKeyInfo of an RSA or NIST-curve key', { cause });
  }
}
