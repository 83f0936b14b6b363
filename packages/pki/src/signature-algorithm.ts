// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm, SignatureScheme } from '@vouchsafe/crypto';
import { type AlgorithmIdentifier, oidOf, requireNoParameters, unsupportedAlgorithm } from './algorithm.ts';
import { encodeNull, encodeOid, encodeSequence } from './der/writer.ts';
import { OID } from './oid.ts';
import { decodePssParameters, encodePssParameters } from './pss.ts';

/** RSASSA-PKCS1-v1_5 with its digest. RFC 4055, 5; RFC 8017, A.2.4. */
const RSA_PKCS1: ReadonlyMap<string, DigestAlgorithm> = new Map([
  [OID.sha1WithRsa, 'sha1'],
  [OID.sha224WithRsa, 'sha224'],
  [OID.sha256WithRsa, 'sha256'],
  [OID.sha384WithRsa, 'sha384'],
  [OID.sha512WithRsa, 'sha512'],
]);

/** RFC 5758, 3.2. */
const ECDSA: ReadonlyMap<string, DigestAlgorithm> = new Map([
  [OID.ecdsaWithSha1, 'sha1'],
  [OID.ecdsaWithSha224, 'sha224'],
  [OID.ecdsaWithSha256, 'sha256'],
  [OID.ecdsaWithSha384, 'sha384'],
  [OID.ecdsaWithSha512, 'sha512'],
]);

/**
 * The scheme that a signatureAlgorithm names.
 * @param digestAlgorithm for rsaEncryption, which names no digest; CMS says it in another field (RFC 3370, 3.2).
 * @throws {PkiError} 'unsupported', 'der_value' and 'der_tag' for parameters that the algorithm does not have.
 */
export function schemeOf(algorithm: AlgorithmIdentifier, digestAlgorithm?: DigestAlgorithm): SignatureScheme {
  const { oid } = algorithm;
  if (oid === OID.rsassaPss) return decodePssParameters(algorithm);
  const rsaDigest = oid === OID.rsaEncryption ? digestAlgorithm : RSA_PKCS1.get(oid);
  const ecdsaDigest = ECDSA.get(oid);
  if (rsaDigest === undefined && ecdsaDigest === undefined && oid !== OID.ed25519) {
    throw unsupportedAlgorithm(algorithm, 'a signature algorithm');
  }
  requireNoParameters(algorithm);
  if (rsaDigest !== undefined) return { kind: 'rsa-pkcs1', hash: rsaDigest };
  if (ecdsaDigest !== undefined) return { kind: 'ecdsa', hash: ecdsaDigest, encoding: 'der' };
  return { kind: 'ed25519' };
}

/** The signatureAlgorithm of a certificate. RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3. */
export function encodeSignatureAlgorithm(scheme: SignatureScheme): Uint8Array {
  switch (scheme.kind) {
    case 'rsa-pkcs1':
      return encodeSequence(encodeOid(oidOf(RSA_PKCS1, scheme.hash)), encodeNull());
    case 'rsa-pss':
      return encodeSequence(encodeOid(OID.rsassaPss), encodePssParameters(scheme.hash, scheme.saltSize));
    case 'ecdsa':
      return encodeSequence(encodeOid(oidOf(ECDSA, scheme.hash)));
    case 'ed25519':
      return encodeSequence(encodeOid(OID.ed25519));
  }
}

/** The signatureAlgorithm of a SignerInfo: rsaEncryption instead of the names with a digest (RFC 3370, 3.2). */
export function encodeSignerAlgorithm(scheme: SignatureScheme): Uint8Array {
  if (scheme.kind !== 'rsa-pkcs1') return encodeSignatureAlgorithm(scheme);
  return encodeSequence(encodeOid(OID.rsaEncryption), encodeNull());
}
