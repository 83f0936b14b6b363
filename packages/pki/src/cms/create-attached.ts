// SPDX-License-Identifier: Apache-2.0
import { digest } from '@vouchsafe/crypto';
import { encodeDigestAlgorithm } from '../algorithm.ts';
import { openDer } from '../der/reader.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { encodeTime } from '../der/time.ts';
import {
  encodeElement,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
} from '../der/writer.ts';
import { OID } from '../oid.ts';
import { encodeSignerAlgorithm } from '../signature-algorithm.ts';
import { type Signer, signWith } from '../signer.ts';
import type { Certificate } from '../x509/certificate.ts';
import { CERTIFICATES, signerCertificate } from './create.ts';

export interface SignAttachedOptions {
  /** eContentType, an object identifier; it is signed too. */
  readonly contentType: string;
  /** Milliseconds since 1970, a whole number of seconds. Left out, the message says no time. */
  readonly signingTimeMs?: number;
  /** Certificates to carry beside the signer's, for readers that know an authority above it only. */
  readonly certificates?: readonly Certificate[];
}

const SIGNED_ATTRIBUTES = contextTag(0, 'constructed');

/**
 * A signature that carries its content, with signed attributes: PKCS #7 as Authenticode has it, where the content is no
 * OCTET STRING but the element itself, of which the contents octets are digested (RFC 2315, 9.3 and 9.4). The same bytes
 * each time when the scheme is deterministic.
 * @param content one element in DER.
 * @returns ContentInfo in DER.
 * @throws {PkiError} 'der_…' when the content is no element, 'argument_invalid' when the signer has no certificate,
 * 'key_mismatch' when it is another key's, 'unsupported'.
 */
export async function signAttached(
  content: Uint8Array,
  signer: Signer,
  options: SignAttachedOptions,
): Promise<Uint8Array> {
  const certificate = signerCertificate(signer);
  const reader = openDer(content);
  const { contents } = reader.read('eContent');
  reader.end();
  // RFC 8419, 3: Ed25519 goes with SHA-512.
  const hash = signer.scheme.kind === 'ed25519' ? 'sha512' : signer.scheme.hash;
  const attributes = [
    encodeAttribute(OID.contentType, encodeOid(options.contentType)),
    encodeAttribute(OID.messageDigest, encodeOctetString(digest(hash, contents))),
    ...(options.signingTimeMs === undefined
      ? []
      : [encodeAttribute(OID.signingTime, encodeTime(options.signingTimeMs))]),
  ];
  // RFC 5652, 5.4: signed under the tag of SET OF, written under [0].
  const signature = await signWith(signer, encodeSetOf(attributes, TAG.set));
  const digestAlgorithm = encodeDigestAlgorithm(hash);
  const signerInfo = encodeSequence(
    encodeInteger(1n),
    encodeSequence(certificate.issuer.bytes, encodeInteger(certificate.serialNumber)),
    digestAlgorithm,
    encodeSetOf(attributes, SIGNED_ATTRIBUTES),
    encodeSignerAlgorithm(signer.scheme),
    encodeOctetString(signature),
  );
  const certificates = [certificate, ...(options.certificates ?? [])].map(({ bytes }) => bytes);
  const signedData = encodeSequence(
    encodeInteger(1n),
    encodeSetOf([digestAlgorithm]),
    encodeSequence(encodeOid(options.contentType), encodeElement(contextTag(0, 'constructed'), content)),
    encodeElement(CERTIFICATES, ...certificates),
    encodeSetOf([signerInfo]),
  );
  return encodeSequence(encodeOid(OID.signedData), encodeElement(contextTag(0, 'constructed'), signedData));
}

/** Attribute with one value. RFC 5652, 5.3. */
function encodeAttribute(oid: string, value: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(oid), encodeSetOf([value]));
}
