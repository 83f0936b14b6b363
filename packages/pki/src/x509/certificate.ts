// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { type AlgorithmIdentifier, readAlgorithm } from '../algorithm.ts';
import { decodeInteger, decodeOctetBits } from '../der/primitive.ts';
import { type DerReader, openDerSequence } from '../der/reader.ts';
import { type DerRules, STRICT_DER } from '../der/rules.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { decodeTime } from '../der/time.ts';
import { readExtensions } from './extension.ts';
import { type CertificateExtensions, decodeKnownExtensions } from './known-extensions.ts';
import { type Name, readName } from './name.ts';

/** Octets of a serial number. RFC 5280, 4.1.2.2, allows 20; certificates with more exist. */
const MAX_SERIAL_BYTES = 64;

/** RFC 5280, 4.1.2.5. Both ends belong to the period. */
export interface Validity {
  /** Milliseconds since 1970, UTC. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** SubjectPublicKeyInfo. RFC 5280, 4.1.2.7. */
export interface PublicKeyInfo {
  readonly algorithm: AlgorithmIdentifier;
  /** The whole structure, as key import takes it. */
  readonly bytes: Uint8Array;
  /** What subjectPublicKey holds. */
  readonly keyBits: Uint8Array;
}

/** Certificate. RFC 5280, 4.1. Nothing here says that it is trusted, valid now, or even signed. */
export interface Certificate {
  /** The exact DER, without anything that followed it. */
  readonly bytes: Uint8Array;
  /** The exact DER of TBSCertificate: what the issuer signed. */
  readonly tbsBytes: Uint8Array;
  readonly version: 1 | 2 | 3;
  /** Positive by RFC 5280, 4.1.2.2, but zero and negative ones exist. */
  readonly serialNumber: bigint;
  /** Contents of the INTEGER. */
  readonly serialBytes: Uint8Array;
  readonly issuer: Name;
  readonly validity: Validity;
  readonly subject: Name;
  readonly publicKey: PublicKeyInfo;
  readonly extensions: CertificateExtensions;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

const VERSIONS = [1, 2, 3] as const;

/**
 * One certificate in DER. The arrays in the result are views of the input.
 * @param rules VENDOR_DER for certificates out of hardware; STRICT_DER when left out.
 * @throws {PkiError} 'der_…' with path and offset, 'certificate_malformed'.
 */
export function decodeCertificate(bytes: Uint8Array, rules: DerRules = STRICT_DER): Certificate {
  const certificate = openDerSequence(bytes, 'Certificate', rules);
  const tbs = certificate.readSequence('tbsCertificate');
  const version = readVersion(tbs);
  const serial = tbs.read('serialNumber', TAG.integer);
  if (serial.contents.length > MAX_SERIAL_BYTES) {
    const message = `expected at most ${MAX_SERIAL_BYTES} octets, found ${serial.contents.length}`;
    throw tbs.error('der_limit', 'serialNumber', message, serial);
  }
  const serialNumber = decodeInteger(serial);
  const innerAlgorithm = readAlgorithm(tbs, 'signature');
  const issuer = readName(tbs, 'issuer');
  const validity = readValidity(tbs);
  const subject = readName(tbs, 'subject');
  const publicKey = readPublicKeyInfo(tbs);
  // issuerUniqueID and subjectUniqueID: RFC 5280, 4.1.2.8, says not to use them.
  tbs.readOptional('issuerUniqueID', contextTag(1, 'primitive'));
  tbs.readOptional('subjectUniqueID', contextTag(2, 'primitive'));
  const extensions = readCertificateExtensions(tbs, version);
  tbs.end();
  const signatureAlgorithm = readAlgorithm(certificate, 'signatureAlgorithm');
  const signature = decodeOctetBits(certificate.read('signatureValue', TAG.bitString));
  certificate.end();
  // RFC 5280, 4.1.1.2. The outer field is not signed; were it believed, an attacker could choose the algorithm.
  if (!bytesEqual(innerAlgorithm.element.bytes, signatureAlgorithm.element.bytes)) {
    const message = 'expected the same algorithm as in tbsCertificate.signature';
    throw certificate.error('certificate_malformed', 'signatureAlgorithm', message, signatureAlgorithm.element);
  }
  return {
    bytes: certificate.element.bytes,
    tbsBytes: tbs.element.bytes,
    version,
    serialNumber,
    serialBytes: serial.contents,
    issuer,
    validity,
    subject,
    publicKey,
    extensions,
    signatureAlgorithm,
    signature,
  };
}

/** SHA-256 of the DER, as certificates are named in verity-sig partitions and by `openssl x509 -fingerprint -sha256`. */
export function fingerprintOf(certificate: Pick<Certificate, 'bytes'>): Uint8Array {
  return digest('sha256', certificate.bytes);
}

/** RFC 5280, 4.1.2.1. */
function readVersion(tbs: DerReader): 1 | 2 | 3 {
  const element = tbs.readOptional('version', contextTag(0, 'constructed'));
  if (element === undefined) return 1;
  const reader = tbs.enter(element);
  const value = reader.readInteger('Version');
  reader.end();
  const version = VERSIONS[Number(value)];
  if (version === undefined)
    throw tbs.error('unsupported', 'version', `expected version 1, 2 or 3, found ${value + 1n}`, element);
  if (version === 1 && !tbs.rules.allowDefaults) {
    throw tbs.error('der_value', 'version', 'expected version 1, the default, to be left out', element);
  }
  return version;
}

function readValidity(tbs: DerReader): Validity {
  const sequence = tbs.readSequence('validity');
  const notBeforeMs = decodeTime(sequence.read('notBefore'));
  const notAfterMs = decodeTime(sequence.read('notAfter'));
  sequence.end();
  return { notBeforeMs, notAfterMs };
}

function readPublicKeyInfo(tbs: DerReader): PublicKeyInfo {
  const sequence = tbs.readSequence('subjectPublicKeyInfo');
  const algorithm = readAlgorithm(sequence, 'algorithm');
  const keyBits = decodeOctetBits(sequence.read('subjectPublicKey', TAG.bitString));
  sequence.end();
  return { algorithm, bytes: sequence.element.bytes, keyBits };
}

function readCertificateExtensions(tbs: DerReader, version: number): CertificateExtensions {
  const element = tbs.readOptional('extensions', contextTag(3, 'constructed'));
  if (element === undefined) return decodeKnownExtensions([], tbs);
  // RFC 5280, 4.1.2.9.
  if (version !== 3) {
    throw tbs.error(
      'certificate_malformed',
      'extensions',
      `expected extensions in version 3 only, found version ${version}`,
      element,
    );
  }
  const outer = tbs.enter(element);
  const list = outer.readSequence('Extensions');
  const extensions = decodeKnownExtensions(readExtensions(list), list);
  outer.end();
  return extensions;
}
