// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type DigestAlgorithm, digest, type SignatureScheme } from '@vouchsafe/crypto';
import { digestOf } from '../algorithm.ts';
import { decodeOid } from '../der/primitive.ts';
import { TAG, tagName } from '../der/tag.ts';
import { PkiError, type PkiErrorCode } from '../error.ts';
import { formatOid, OID } from '../oid.ts';
import { importKey, isSignatureBy, type KeySource } from '../public-key.ts';
import { schemeOf } from '../signature-algorithm.ts';
import type { Certificate } from '../x509/certificate.ts';
import { type Attributes, isSignedAttributeContent, signedAttributeBytes } from './attribute.ts';
import type { SignedData } from './signed-data.ts';
import { formatSignerIdentifier, type SignerIdentifier, type SignerInfo } from './signer-info.ts';

declare const verified: unique symbol;

/** A signer whose signature was found to hold. */
export interface VerifiedSigner {
  /** One of the trusted certificates. */
  readonly certificate: Certificate;
  readonly signerInfo: SignerInfo;
  readonly scheme: SignatureScheme;
}

/** A message that was signed by somebody trusted. Only verifySignedData makes one. */
export interface VerifiedSignedData {
  readonly [verified]: true;
  readonly signedData: SignedData;
  readonly contentType: string;
  /** The octets that were signed. */
  readonly content: Uint8Array;
  /** At least one. */
  readonly signers: readonly [VerifiedSigner, ...VerifiedSigner[]];
  /** Signers that no trusted certificate belongs to; nothing about them was checked. */
  readonly unknownSigners: readonly SignerInfo[];
}

export interface VerifySignedDataOptions {
  /** Whose signature counts. Validity, key usage and issuer are not looked at: naming a certificate here trusts its key. */
  readonly trusted: readonly Certificate[];
  /** The content of a detached signature. Left out when the message carries its content. */
  readonly content?: Uint8Array;
  /** Digests to accept. SHA-2 with 256 bits or more when left out. */
  readonly digests?: readonly DigestAlgorithm[];
  readonly keys?: KeySource;
}

const ACCEPTED_DIGESTS: readonly DigestAlgorithm[] = ['sha256', 'sha384', 'sha512'];

/**
 * Checks that the content was signed by the holder of a trusted certificate. RFC 5652, 5.4 to 5.6.
 *
 * One such signature is enough, as several signers are alternatives for different readers; but a signature in the name of
 * a trusted certificate that does not hold fails the message, whatever the others say.
 * @throws {PkiError} 'signer_unknown', 'digest_mismatch', 'signature_invalid', 'attribute_invalid', 'content_missing',
 * 'algorithm_refused', 'unsupported', 'key_invalid'.
 */
export function verifySignedData(signedData: SignedData, options: VerifySignedDataOptions): VerifiedSignedData {
  const content = contentOf(signedData, options.content);
  const unknownSigners: SignerInfo[] = [];
  const signers: VerifiedSigner[] = [];
  for (const signerInfo of signedData.signers) {
    const candidates = options.trusted.filter((certificate) => isNamedBy(certificate, signerInfo.signerIdentifier));
    if (candidates.length === 0) unknownSigners.push(signerInfo);
    else signers.push(verifySigner(signedData, signerInfo, content, candidates, options));
  }
  const [first, ...others] = signers;
  if (first === undefined) {
    const names = signedData.signers.map(({ signerIdentifier }) => formatSignerIdentifier(signerIdentifier));
    const found = names.length === 0 ? 'no signer at all' : names.join(', ');
    const count = options.trusted.length;
    throw new PkiError(
      'signer_unknown',
      `expected a signature by one of ${count} trusted certificates, found ${found}`,
    );
  }
  const result = {
    signedData,
    contentType: signedData.contentType,
    content,
    signers: [first, ...others] as const,
    unknownSigners,
  };
  return result as typeof result & VerifiedSignedData;
}

/** Both at once would leave open which of the two was meant. */
function contentOf(signedData: SignedData, detached: Uint8Array | undefined): Uint8Array {
  const attached = signedData.content?.contents;
  if (attached !== undefined && detached !== undefined) {
    throw new PkiError(
      'content_missing',
      'expected a detached signature beside the content, found one with its own content',
    );
  }
  const content = attached ?? detached;
  if (content === undefined) {
    throw new PkiError('content_missing', 'expected the content that the detached signature is over, found none');
  }
  return content;
}

/** RFC 5652, 5.3. Names are compared as bytes, as the kernel does: certificate and message come from the same tools. */
function isNamedBy(certificate: Certificate, identifier: SignerIdentifier): boolean {
  if (identifier.kind === 'issuerAndSerial') {
    return (
      bytesEqual(certificate.serialBytes, identifier.serialBytes) &&
      bytesEqual(certificate.issuer.bytes, identifier.issuer.bytes)
    );
  }
  const { subjectKeyIdentifier } = certificate.extensions;
  return subjectKeyIdentifier !== undefined && bytesEqual(subjectKeyIdentifier, identifier.keyIdentifier);
}

function verifySigner(
  signedData: SignedData,
  signerInfo: SignerInfo,
  content: Uint8Array,
  candidates: readonly Certificate[],
  options: VerifySignedDataOptions,
): VerifiedSigner {
  const digestAlgorithm = digestOf(signerInfo.digestAlgorithm);
  const scheme = schemeOf(signerInfo.signatureAlgorithm, digestAlgorithm);
  requireDigest(signerInfo, digestAlgorithm, options.digests ?? ACCEPTED_DIGESTS);
  // Both fields say the digest; a message in which they differ means different things to different readers.
  // Ed25519 has its own, and SHA-512 for the attributes: RFC 8419, 3.
  const expected = scheme.kind === 'ed25519' ? 'sha512' : scheme.hash;
  if (expected !== digestAlgorithm) {
    throw failure(
      'unsupported',
      signerInfo,
      `expected digestAlgorithm ${expected} as in signatureAlgorithm, found ${digestAlgorithm}`,
    );
  }
  const signedBytes = signedBytesOf(signedData, signerInfo, digestAlgorithm, content);
  const certificate = candidates.find((candidate) =>
    isSignatureBy(importKey(candidate.publicKey.bytes, options.keys), scheme, signedBytes, signerInfo.signature),
  );
  if (certificate === undefined) {
    const what = signerInfo.signedAttributes === undefined ? 'the content' : 'the signed attributes';
    const who = formatSignerIdentifier(signerInfo.signerIdentifier);
    throw failure('signature_invalid', signerInfo, `expected a signature over ${what} by ${who}; it does not hold`);
  }
  return { certificate, signerInfo, scheme };
}

/** The octets that the signature is over, once what they say of the content is checked. RFC 5652, 5.4. */
function signedBytesOf(
  signedData: SignedData,
  signerInfo: SignerInfo,
  digestAlgorithm: DigestAlgorithm,
  content: Uint8Array,
): Uint8Array {
  const attributes = signerInfo.signedAttributes;
  if (attributes === undefined) {
    // RFC 5652, 5.3: there must be signed attributes unless the content is plain data; otherwise nothing signs its type.
    if (signedData.contentType !== OID.data) {
      const type = formatOid(signedData.contentType);
      throw failure(
        'attribute_invalid',
        signerInfo,
        `expected signed attributes for content of type ${type}, found none`,
      );
    }
    if (isSignedAttributeContent(content)) {
      throw failure(
        'attribute_invalid',
        signerInfo,
        'expected content, found the signed attributes of another message',
      );
    }
    return content;
  }
  // RFC 5652, 11.1.
  const type = singleValue(signerInfo, attributes, OID.contentType, TAG.oid);
  const contentType = decodeOid(type);
  if (contentType !== signedData.contentType) {
    const message = `expected ${formatOid(signedData.contentType)} as signed content type, found ${formatOid(contentType)}`;
    throw new PkiError('attribute_invalid', message, { path: type.path, offset: type.offset });
  }
  // RFC 5652, 11.2.
  const { contents: signed } = singleValue(signerInfo, attributes, OID.messageDigest, TAG.octetString);
  const contentDigest = digest(digestAlgorithm, content);
  if (!bytesEqual(signed, contentDigest)) {
    const message = `expected content with digest ${toHex(signed)}, found ${toHex(contentDigest)}; it is not what was signed`;
    throw failure('digest_mismatch', signerInfo, message);
  }
  return signedAttributeBytes(attributes);
}

/** RFC 5652, 11: once, with one value. A second would let two readers see two messages. */
function singleValue(signerInfo: SignerInfo, attributes: Attributes, oid: string, tag: number) {
  const [attribute, ...more] = attributes.list.filter((candidate) => candidate.oid === oid);
  const [value, ...others] = attribute?.values ?? [];
  if (value === undefined || more.length > 0 || others.length > 0) {
    throw failure(
      'attribute_invalid',
      signerInfo,
      `expected the signed attribute ${formatOid(oid)} once, with one value`,
    );
  }
  if (value.tag !== tag) {
    const message = `expected ${tagName(tag)} in the attribute ${formatOid(oid)}, found ${tagName(value.tag)}`;
    throw new PkiError('attribute_invalid', message, { path: value.path, offset: value.offset });
  }
  return value;
}

function requireDigest(signerInfo: SignerInfo, found: DigestAlgorithm, accepted: readonly DigestAlgorithm[]): void {
  if (accepted.includes(found)) return;
  throw failure('algorithm_refused', signerInfo, `expected a digest of ${accepted.join(', ')}, found ${found}`);
}

function failure(code: PkiErrorCode, signerInfo: SignerInfo, message: string): PkiError {
  const { path, offset } = signerInfo.element;
  return new PkiError(code, message, { path, offset });
}
