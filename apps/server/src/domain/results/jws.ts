// SPDX-License-Identifier: Apache-2.0
import { concatBytes, isVouchsafeError, parseUtf8, utf8 } from '@vouchsafe/base';
import { digest, type PublicKey, verifySignature } from '@vouchsafe/crypto';
import {
  decodeOctetBits,
  encodeBitString,
  encodeOid,
  encodeSequence,
  importKey,
  openDerSequence,
  type Signer,
  signWith,
  TAG,
} from '@vouchsafe/pki';
import { encodeBase64url, parseBase64url } from '@vouchsafe/protocol';

/** Octets of a coordinate, and of each half of a signature, on P-256. */
const COORDINATE_BYTES = 32;
/** RFC 5480, 2.1.1.1. */
const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const MAX_TOKEN_CHARS = 65_536;

/** A P-256 key as a JWK. RFC 7517; RFC 7518, 6.2.1. `kid` is the thumbprint of RFC 7638. */
export interface SigningJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
}

/** @param spki of a P-256 key, the point uncompressed. */
export function jwkOfSpki(spki: Uint8Array): SigningJwk {
  const info = openDerSequence(spki, 'SubjectPublicKeyInfo');
  info.read('algorithm', TAG.sequence);
  const point = decodeOctetBits(info.read('subjectPublicKey', TAG.bitString));
  if (point.length !== 1 + 2 * COORDINATE_BYTES) throw new RangeError('expected an uncompressed point of P-256');
  const [x, y] = [point.subarray(1, 1 + COORDINATE_BYTES), point.subarray(1 + COORDINATE_BYTES)].map(encodeBase64url);
  const key = { crv: 'P-256', kty: 'EC', x: x as string, y: y as string } as const;
  // RFC 7638, 3: the required members in the order of their names, without white space.
  const kid = encodeBase64url(digest('sha256', utf8(JSON.stringify(key))));
  return { ...key, kid, use: 'sig', alg: 'ES256' };
}

/**
 * A JSON web signature in compact form with ES256. RFC 7515, 3.1; RFC 7518, 3.4.
 * @param signer of a P-256 key
 * @throws {PkiError} as `signWith`
 */
export async function signJwt(claims: object, type: string, signer: Signer): Promise<string> {
  const input = `${headerOf(signer, type)}.${encodeJson(claims)}`;
  const signature = await signWith(signer, utf8(input));
  const isRaw = signer.scheme.kind === 'ecdsa' && signer.scheme.encoding === 'raw';
  return `${input}.${encodeBase64url(isRaw ? signature : rawSignature(signature))}`;
}

const headers = new WeakMap<Signer, Map<string, string>>();

/** The same for all tokens of a kind by one signer. */
function headerOf(signer: Signer, type: string): string {
  const known = headers.get(signer) ?? new Map<string, string>();
  headers.set(signer, known);
  const header = known.get(type) ?? encodeJson({ alg: 'ES256', typ: type, kid: jwkOfSpki(signer.spki).kid });
  known.set(type, header);
  return header;
}

/**
 * The claims of a token that one of the keys has signed; undefined otherwise, whatever the reason. Only ES256 is taken, and
 * the key only from those given (RFC 8725, 3.1 and 3.10). Expiry and contents are the caller's to look at.
 */
export function verifyJwt(
  token: string,
  type: string,
  keys: readonly SigningJwk[],
): Readonly<Record<string, unknown>> | undefined {
  const [head = '', body = '', tail = '', ...more] = token.split('.');
  if (token.length > MAX_TOKEN_CHARS || more.length > 0) return undefined;
  const header = decodeJson(head);
  const key = keys.find(({ kid }) => kid === header?.['kid']);
  // RFC 8725, 3.11: a token of another kind, signed by the same key, must not be taken for this one.
  if (header?.['alg'] !== 'ES256' || header['typ'] !== type || header['crit'] !== undefined) return undefined;
  const signature = decodeBytes(tail);
  if (key === undefined || signature?.length !== 2 * COORDINATE_BYTES) return undefined;
  const scheme = { kind: 'ecdsa', hash: 'sha256', encoding: 'raw' } as const;
  const publicKey = keyOfJwk(key);
  if (publicKey === undefined || !verifySignature(publicKey, scheme, utf8(`${head}.${body}`), signature)) {
    return undefined;
  }
  return decodeJson(body);
}

const encodeJson = (value: object): string => encodeBase64url(utf8(JSON.stringify(value)));

function decodeBytes(text: string): Uint8Array | undefined {
  try {
    return parseBase64url(text);
  } catch (error) {
    if (isVouchsafeError(error)) return undefined;
    throw error;
  }
}

function decodeJson(text: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decodeBytes(text);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(parseUtf8(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function keyOfJwk({ x, y }: SigningJwk): PublicKey | undefined {
  const [left, right] = [decodeBytes(x), decodeBytes(y)];
  if (left?.length !== COORDINATE_BYTES || right?.length !== COORDINATE_BYTES) return undefined;
  const point = concatBytes(Uint8Array.of(0x04), left, right);
  try {
    return importKey(encodeSequence(encodeSequence(encodeOid(EC_PUBLIC_KEY), encodeOid(P256)), encodeBitString(point)));
  } catch (error) {
    if (isVouchsafeError(error)) return undefined;
    throw error;
  }
}

/** ECDSA-Sig-Value as r || s. RFC 3279, 2.2.3; RFC 7518, 3.4. */
function rawSignature(der: Uint8Array): Uint8Array {
  const sequence = openDerSequence(der, 'ECDSA-Sig-Value');
  const halves = [sequence.readInteger('r'), sequence.readInteger('s')].map((value) =>
    Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * COORDINATE_BYTES, '0'), 'hex')),
  );
  sequence.end();
  return concatBytes(...halves);
}
