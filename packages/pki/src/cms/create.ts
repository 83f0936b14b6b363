// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { encodeDigestAlgorithm } from '../algorithm.ts';
import { contextTag } from '../der/tag.ts';
import {
  encodeElement,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSetOf,
} from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { OID } from '../oid.ts';
import { encodeSignerAlgorithm } from '../signature-algorithm.ts';
import { type Signer, signWith } from '../signer.ts';
import type { Certificate } from '../x509/certificate.ts';
import { isSignedAttributeContent } from './attribute.ts';

export interface SignDetachedOptions {
  /** Whether the signer's certificate goes into the message, for readers that do not have it. */
  readonly includeCertificate: boolean;
}

/** certificates of SignedData. RFC 5652, 5.1. */
export const CERTIFICATES = contextTag(0, 'constructed');

/**
 * A detached signature over the content itself, without signed attributes: what OpenSSL's PKCS7_sign writes with
 * PKCS7_DETACHED, PKCS7_NOATTR and PKCS7_BINARY, and what the kernel's keyrings and systemd read. RFC 5652, 5.1 and 5.3;
 * the same bytes each time when the scheme is deterministic.
 * @returns ContentInfo in DER.
 * @throws {PkiError} 'argument_invalid' when the signer has no certificate, 'key_mismatch' when it is another key's,
 * 'unsupported'.
 */
export async function signDetached(
  content: Uint8Array,
  signer: Signer,
  options: SignDetachedOptions,
): Promise<Uint8Array> {
  const certificate = signerCertificate(signer);
  // The counterpart of the check in verifySignedData: nobody may get attributes of their making signed as content.
  if (isSignedAttributeContent(content)) {
    throw new PkiError('argument_invalid', 'expected content, found the signed attributes of a message');
  }
  // RFC 8419, 3: Ed25519 goes with SHA-512, although nothing uses it where there are no attributes.
  const digestAlgorithm = encodeDigestAlgorithm(signer.scheme.kind === 'ed25519' ? 'sha512' : signer.scheme.hash);
  const signerAlgorithm = encodeSignerAlgorithm(signer.scheme);
  const signature = await signWith(signer, content);
  const signerInfo = encodeSequence(
    encodeInteger(1n),
    encodeSequence(certificate.issuer.bytes, encodeInteger(certificate.serialNumber)),
    digestAlgorithm,
    signerAlgorithm,
    encodeOctetString(signature),
  );
  const signedData = encodeSequence(
    encodeInteger(1n),
    encodeSetOf([digestAlgorithm]),
    encodeSequence(encodeOid(OID.data)),
    ...(options.includeCertificate ? [encodeElement(CERTIFICATES, certificate.bytes)] : []),
    encodeSetOf([signerInfo]),
  );
  return encodeSequence(encodeOid(OID.signedData), encodeElement(contextTag(0, 'constructed'), signedData));
}

/**
 * The certificate that names the signer in a message.
 * @throws {PkiError} 'argument_invalid' when there is none, 'key_mismatch' when it is another key's.
 */
export function signerCertificate(signer: Signer): Certificate {
  const { certificate } = signer;
  if (certificate === undefined) {
    throw new PkiError(
      'argument_invalid',
      'expected a signer with a certificate, as the message names the signer by it',
    );
  }
  if (!bytesEqual(certificate.publicKey.bytes, signer.spki)) {
    const message = `expected the certificate of the signing key, found one of another key: '${certificate.subject.text}'`;
    throw new PkiError('key_mismatch', message);
  }
  return certificate;
}
