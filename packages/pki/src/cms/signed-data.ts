// SPDX-License-Identifier: Apache-2.0
import { type AlgorithmIdentifier, algorithmIn } from '../algorithm.ts';
import type { DerElement } from '../der/element.ts';
import { type DerReader, openDerSequence } from '../der/reader.ts';
import { type DerRules, STRICT_DER } from '../der/rules.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { formatOid, OID } from '../oid.ts';
import { decodeSignerInfo, type SignerInfo } from './signer-info.ts';

/** In one message. Every signer costs a signature check, so this bounds the time a message can take. */
const MAX_SIGNERS = 16;
const MAX_DIGEST_ALGORITHMS = 16;
const MAX_CERTIFICATES = 64;
const MAX_REVOCATIONS = 64;

/** CMS versions are 1, 3, 4 and 5 by what is inside (RFC 5652, 5.1); PKCS #7 has 1 (RFC 2315, 9.1). */
const VERSIONS: readonly bigint[] = [1n, 3n, 4n, 5n];

/** SignedData. RFC 5652, 5.1, and RFC 2315, 9.1. Nothing in it is verified. */
export interface SignedData {
  /** SignedData itself, without ContentInfo. */
  readonly element: DerElement;
  readonly digestAlgorithms: readonly AlgorithmIdentifier[];
  /** eContentType: what the content is. */
  readonly contentType: string;
  /**
   * The content's own element; undefined when the signature is detached. CMS has an OCTET STRING there, PKCS #7 and
   * Authenticode whatever the type says. What is digested are its contents octets (RFC 2315, 9.3; RFC 5652, 5.4).
   */
  readonly content: DerElement | undefined;
  /** Exact DER of the X.509 certificates, in their order. Not trusted, not even decoded. */
  readonly certificates: readonly Uint8Array[];
  readonly signers: readonly SignerInfo[];
}

/**
 * A CMS or PKCS #7 signed message in DER: ContentInfo, or SignedData alone as UEFI's authenticated variables have it.
 * @throws {PkiError} 'der_…' with path and offset, 'cms_malformed', 'unsupported' for another kind of message.
 */
export function decodeSignedData(bytes: Uint8Array, rules: DerRules = STRICT_DER): SignedData {
  const outer = openDerSequence(bytes, 'ContentInfo', rules);
  if (outer.nextTag === TAG.integer) return readSignedData(openDerSequence(bytes, 'SignedData', rules));
  // RFC 5652, 3.
  const contentType = outer.readOid('contentType');
  if (contentType !== OID.signedData) {
    const message = `expected ${formatOid(OID.signedData)}, found ${formatOid(contentType)}`;
    throw outer.error('unsupported', 'contentType', message, outer.element);
  }
  const content = outer.readSequence('content', contextTag(0, 'constructed'));
  outer.end();
  const signedData = readSignedData(content.readSequence('SignedData'));
  content.end();
  return signedData;
}

function readSignedData(reader: DerReader): SignedData {
  const version = reader.readInteger('version');
  if (!VERSIONS.includes(version)) {
    throw reader.error('unsupported', 'version', `expected version 1, 3, 4 or 5, found ${version}`, reader.element);
  }
  // The order of the sets below is not signed and means nothing; PKCS #7 writers leave it as it comes.
  const algorithms = reader.readSequence('digestAlgorithms', TAG.set);
  const digestAlgorithms = algorithms
    .rest(MAX_DIGEST_ALGORITHMS)
    .map((element) => algorithmIn(algorithms.enterSequence(element)));
  const { contentType, content } = readEncapsulatedContent(reader);
  const certificates = readCertificates(reader);
  const revocations = reader.readOptional('crls', contextTag(1, 'constructed'));
  if (revocations !== undefined) reader.enter(revocations).rest(MAX_REVOCATIONS);
  const signerInfos = reader.readSequence('signerInfos', TAG.set);
  const signers = signerInfos.rest(MAX_SIGNERS).map((element) => decodeSignerInfo(signerInfos, element));
  reader.end();
  return { element: reader.element, digestAlgorithms, contentType, content, certificates, signers };
}

/** EncapsulatedContentInfo. RFC 5652, 5.2. */
function readEncapsulatedContent(reader: DerReader): { contentType: string; content: DerElement | undefined } {
  const info = reader.readSequence('encapContentInfo');
  const contentType = info.readOid('eContentType');
  const wrapper = info.readOptional('eContent', contextTag(0, 'constructed'));
  info.end();
  if (wrapper === undefined) return { contentType, content: undefined };
  const inner = info.enter(wrapper);
  // CMS has an OCTET STRING; only other types, which PKCS #7 defined, may have something else. The tag is not signed.
  const content = inner.read('eContent', contentType === OID.data ? TAG.octetString : undefined);
  inner.end();
  return { contentType, content };
}

/** CertificateSet. RFC 5652, 10.2.3: beside X.509 certificates, under tags of their own, forms that nobody here uses. */
function readCertificates(reader: DerReader): Uint8Array[] {
  const set = reader.readOptional('certificates', contextTag(0, 'constructed'));
  if (set === undefined) return [];
  const elements = reader.enter(set).rest(MAX_CERTIFICATES);
  return elements.filter(({ tag }) => tag === TAG.sequence).map(({ bytes }) => bytes);
}
