// SPDX-License-Identifier: Apache-2.0
import { concatBytes, toHex } from '@vouchsafe/base';
import {
  encodeBase64,
  encodeBitString,
  encodeInteger,
  encodeNull,
  encodeOid,
  encodeSequence,
  formatPem,
  OID,
  parseBase64,
  parsePem,
} from '@vouchsafe/pki';
import { TpmError } from './error.ts';
import {
  CRYPTO_CURVES,
  isTpmCurve,
  type PublicAreaOptions,
  padParameter,
  publicAreaFromSpki,
  spkiOf,
  TPM_CURVES,
  type TpmCurve,
} from './spki.ts';
import type { TpmtPublic } from './structures/public.ts';

/** A public key as a JSON Web Key. RFC 7517; RFC 7518, sections 6.2.1 and 6.3.1. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384' | 'P-521'; readonly x: string; readonly y: string };

const DEFAULT_EXPONENT = 65_537;
const PEM_LABEL = 'PUBLIC KEY';

/** RFC 7515, section 2: base64url without padding. */
const toBase64Url = (bytes: Uint8Array): string =>
  encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function fromBase64Url(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw unsupported('base64url without padding');
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4);
  try {
    return parseBase64(padded);
  } catch (cause) {
    throw unsupported('base64url without padding', cause);
  }
}

const unsupported = (expected: string, cause?: unknown): TpmError =>
  new TpmError('key_unsupported', `JWK: expected ${expected}`, { cause });

/**
 * The key of a public area as a JWK.
 * @throws {TpmError} 'key_unsupported' as `spkiOf`
 */
export function jwkOf(area: TpmtPublic): PublicJwk {
  spkiOf(area); // refuses what is no key that we take
  if (area.type === 'rsa') {
    const { exponent } = area.parameters;
    const octets = bigintOctets(BigInt(exponent === 0 ? DEFAULT_EXPONENT : exponent));
    return { kty: 'RSA', n: toBase64Url(area.unique), e: toBase64Url(octets) };
  }
  if (area.type !== 'ecc' || !isTpmCurve(area.parameters.curveID)) throw unsupported('an RSA or ECC key');
  const { sizeBytes } = TPM_CURVES[area.parameters.curveID];
  // RFC 7518, section 6.2.1.2: as long as a coordinate, leading zeros included.
  const [x, y] = [area.unique.x, area.unique.y].map((parameter) => padParameter(parameter, sizeBytes) as Uint8Array);
  return {
    kty: 'EC',
    crv: CRYPTO_CURVES[area.parameters.curveID],
    x: toBase64Url(x as Uint8Array),
    y: toBase64Url(y as Uint8Array),
  };
}

function bigintOctets(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(even.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * The SubjectPublicKeyInfo of a JWK, DER.
 * @throws {TpmError} 'key_unsupported'
 */
export function spkiOfJwk(jwk: PublicJwk): Uint8Array {
  if (jwk.kty === 'RSA') {
    const number = (text: string): bigint => BigInt(`0x${toHex(fromBase64Url(text)) || '0'}`);
    const key = encodeSequence(encodeInteger(number(jwk.n)), encodeInteger(number(jwk.e)));
    return encodeSequence(encodeSequence(encodeOid(OID.rsaEncryption), encodeNull()), encodeBitString(key));
  }
  const curve = (Object.keys(CRYPTO_CURVES) as TpmCurve[]).find((name) => CRYPTO_CURVES[name] === jwk.crv);
  if (jwk.kty !== 'EC' || curve === undefined) throw unsupported('an RSA key or one on P-256, P-384 or P-521');
  const { oid, sizeBytes } = TPM_CURVES[curve];
  const [x, y] = [fromBase64Url(jwk.x), fromBase64Url(jwk.y)];
  if (x.length !== sizeBytes || y.length !== sizeBytes) throw unsupported(`coordinates of ${sizeBytes} octets`);
  return encodeSequence(
    encodeSequence(encodeOid(OID.ecPublicKey), encodeOid(oid)),
    encodeBitString(concatBytes(Uint8Array.of(0x04), x, y)),
  );
}

/**
 * A public area from a JWK; see `publicAreaFromSpki`.
 * @throws {TpmError} 'key_unsupported'
 */
export function publicAreaFromJwk(jwk: PublicJwk, options: PublicAreaOptions): TpmtPublic {
  return publicAreaFromSpki(spkiOfJwk(jwk), options);
}

/**
 * The key of a public area as PEM of a SubjectPublicKeyInfo. RFC 7468, section 13.
 * @throws {TpmError} 'key_unsupported' as `spkiOf`
 */
export function pemOf(area: TpmtPublic): string {
  return formatPem(PEM_LABEL, spkiOf(area));
}

/**
 * A public area from PEM of one SubjectPublicKeyInfo; see `publicAreaFromSpki`.
 * @throws {TpmError} 'key_unsupported' @throws {PkiError} for malformed PEM
 */
export function publicAreaFromPem(text: string, options: PublicAreaOptions): TpmtPublic {
  const [block, ...more] = parsePem(text);
  if (block?.label !== PEM_LABEL || more.length > 0) {
    throw new TpmError('key_unsupported', `PEM: expected one ${PEM_LABEL}, found ${block?.label ?? 'none'}`);
  }
  return publicAreaFromSpki(block.bytes, options);
}
