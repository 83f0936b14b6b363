// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { decodeOctetBits } from '../der/primitive.ts';
import { openDerSequence } from '../der/reader.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { encodeTime } from '../der/time.ts';
import {
  encodeBitString,
  encodeBoolean,
  encodeElement,
  encodeInteger,
  encodeNamedBits,
  encodeOctetString,
  encodeOid,
  encodeSequence,
} from '../der/writer.ts';
import { PkiError } from '../error.ts';
import { OID } from '../oid.ts';
import { encodeSignatureAlgorithm } from '../signature-algorithm.ts';
import { type Signer, signWith } from '../signer.ts';
import { type Certificate, decodeCertificate, type Validity } from './certificate.ts';
import { encodeExtension } from './extension.ts';
import { encodeGeneralNames, type NameToEncode } from './general-name.ts';
import { type BasicConstraints, KEY_USAGES, type KeyUsage } from './known-extensions.ts';
import { encodeName } from './name.ts';

/** RFC 5280, 4.1.2.2: positive, and at most 20 octets with the sign. */
const MAX_SERIAL = (1n << 159n) - 1n;
/** RFC 7093, 2, method 1. */
const KEY_IDENTIFIER_BYTES = 20;

/** What a certificate says. Nothing is taken from a clock or at random. */
export interface CertificateInput {
  /** The most general attribute first; may be empty when there is a subjectAltName (RFC 5280, 4.1.2.6). */
  readonly subject: readonly { readonly oid: string; readonly text: string }[];
  /** Positive, below 2^159. */
  readonly serialNumber: bigint;
  readonly validity: Validity;
  readonly basicConstraints: BasicConstraints;
  readonly keyUsage: readonly KeyUsage[];
  /** Object identifiers. */
  readonly extKeyUsage?: readonly string[];
  readonly subjectAltName?: readonly NameToEncode[];
  /** Others, after those above: the DER inside extnValue. */
  readonly extensions?: readonly { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array }[];
}

/** What a self-signed certificate says. */
export type SelfSignedInput = CertificateInput;

/** Who issues: the authority's certificate, whose subject and key identifier go into what it issues, and its key. */
export interface Authority {
  readonly certificate: Certificate;
  readonly signer: Signer;
}

/**
 * A certificate that the key issues for itself, for a signing key that others are told to trust.
 * The same input gives the same bytes when the signer's scheme is deterministic.
 * Version 3; the key identifiers are the first 160 bits of SHA-256 over the public key (RFC 7093, 2, method 1).
 * @throws {PkiError} 'argument_invalid', 'unsupported', 'key_mismatch'.
 */
export async function issueSelfSigned(input: SelfSignedInput, signer: Signer): Promise<Certificate> {
  if (input.subject.length === 0) throw new PkiError('argument_invalid', 'expected a subject, as it is the issuer too');
  const identifier = keyIdentifier(signer.spki);
  return decodeCertificate(await issue(input, signer.spki, { name: encodeName(input.subject), identifier, signer }));
}

/**
 * A certificate for another's key. Whether the holder has the private key, and whether the authority may issue this, is
 * for the caller to know.
 * @param spki DER of the SubjectPublicKeyInfo that is certified.
 * @throws {PkiError} 'argument_invalid', 'unsupported', 'key_mismatch' when the signer's key is not the authority's.
 */
export async function issueCertificate(
  input: CertificateInput,
  spki: Uint8Array,
  authority: Authority,
): Promise<Certificate> {
  return decodeCertificate(await issueCertificateDer(input, spki, authority));
}

/** As `issueCertificate`, for who issues many and knows what is in them: the DER, not read again. */
export async function issueCertificateDer(
  input: CertificateInput,
  spki: Uint8Array,
  authority: Authority,
): Promise<Uint8Array> {
  if (input.subject.length === 0 && (input.subjectAltName?.length ?? 0) === 0) {
    throw new PkiError('argument_invalid', 'expected a subject or a subjectAltName, found neither');
  }
  return issue(input, spki, issuerOf(authority));
}

interface Issuer {
  readonly name: Uint8Array;
  readonly identifier: Uint8Array;
  readonly signer: Signer;
}

/**
 * What an authority puts into all that it issues. signWith checks with the signer's own key; here the authority's
 * certificate says which key that must be.
 */
export function issuerOf({ certificate, signer }: Authority): Issuer {
  const { extensions, publicKey, subject } = certificate;
  return {
    name: subject.bytes,
    identifier: extensions.subjectKeyIdentifier ?? keyIdentifier(publicKey.bytes),
    // A signer that checks its signatures does it with its own key.
    signer: bytesEqual(signer.spki, publicKey.bytes) ? signer : { ...signer, spki: publicKey.bytes, isChecked: false },
  };
}

async function issue(input: CertificateInput, spki: Uint8Array, issuer: Issuer): Promise<Uint8Array> {
  const { serialNumber, validity } = input;
  if (serialNumber <= 0n || serialNumber > MAX_SERIAL) {
    throw new PkiError('argument_invalid', `expected a serial number from 1 to 2^159-1, found ${serialNumber}`);
  }
  if (validity.notAfterMs < validity.notBeforeMs) {
    throw new PkiError('argument_invalid', 'expected notAfter not to be before notBefore');
  }
  const algorithm = encodeSignatureAlgorithm(issuer.signer.scheme);
  const tbs = encodeSequence(
    encodeElement(contextTag(0, 'constructed'), encodeInteger(2n)),
    encodeInteger(serialNumber),
    algorithm,
    issuer.name,
    encodeSequence(encodeTime(validity.notBeforeMs), encodeTime(validity.notAfterMs)),
    encodeName(input.subject),
    spki,
    encodeElement(contextTag(3, 'constructed'), encodeSequence(...encodeExtensions(input, spki, issuer.identifier))),
  );
  const signature = await signWith(issuer.signer, tbs);
  return encodeSequence(tbs, algorithm, encodeBitString(signature));
}

function encodeExtensions(input: CertificateInput, spki: Uint8Array, issuerIdentifier: Uint8Array): Uint8Array[] {
  const { isCa, pathLength } = input.basicConstraints;
  // RFC 5280, 4.2.1.9: pathLenConstraint means something for authorities only.
  if (pathLength !== undefined && !(isCa && Number.isInteger(pathLength) && pathLength >= 0 && pathLength <= 255)) {
    throw new PkiError(
      'argument_invalid',
      `expected a path length from 0 to 255 and an authority, found ${pathLength}`,
    );
  }
  const constraints = encodeSequence(
    ...(isCa ? [encodeBoolean(true)] : []),
    ...(pathLength === undefined ? [] : [encodeInteger(BigInt(pathLength))]),
  );
  const authority = encodeSequence(encodeElement(contextTag(0, 'primitive'), issuerIdentifier));
  const extensions = [
    encodeExtension(OID.subjectKeyIdentifier, false, encodeOctetString(keyIdentifier(spki))),
    encodeExtension(OID.authorityKeyIdentifier, false, authority),
    encodeExtension(OID.basicConstraints, true, constraints),
  ];
  if (input.keyUsage.length > 0) {
    const bits = input.keyUsage.map((usage) => KEY_USAGES.indexOf(usage));
    extensions.push(encodeExtension(OID.keyUsage, true, encodeNamedBits(bits)));
  }
  if (input.extKeyUsage !== undefined && input.extKeyUsage.length > 0) {
    extensions.push(encodeExtension(OID.extKeyUsage, false, encodeSequence(...input.extKeyUsage.map(encodeOid))));
  }
  if (input.subjectAltName !== undefined && input.subjectAltName.length > 0) {
    // RFC 5280, 4.2.1.6: critical when the subject is empty.
    const critical = input.subject.length === 0;
    extensions.push(encodeExtension(OID.subjectAltName, critical, encodeGeneralNames(input.subjectAltName)));
  }
  for (const { oid, critical, value } of input.extensions ?? []) extensions.push(encodeExtension(oid, critical, value));
  return extensions;
}

function keyIdentifier(spki: Uint8Array): Uint8Array {
  const info = openDerSequence(spki, 'SubjectPublicKeyInfo');
  info.read('algorithm', TAG.sequence);
  const keyBits = decodeOctetBits(info.read('subjectPublicKey', TAG.bitString));
  info.end();
  return digest('sha256', keyBits).subarray(0, KEY_IDENTIFIER_BYTES);
}
