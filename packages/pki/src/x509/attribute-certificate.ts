// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { PublicKey } from '@vouchsafe/crypto';
import { type AlgorithmIdentifier, readAlgorithm } from '../algorithm.ts';
import { decodeInteger, decodeOctetBits } from '../der/primitive.ts';
import { type DerReader, openDerSequence } from '../der/reader.ts';
import { type DerRules, STRICT_DER } from '../der/rules.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { decodeTime } from '../der/time.ts';
import { isSignatureBy } from '../public-key.ts';
import { schemeOf } from '../signature-algorithm.ts';
import { type AttributeSet, readAttributeSets } from './attribute-set.ts';
import type { Validity } from './certificate.ts';
import { readExtensions } from './extension.ts';
import { type GeneralName, readGeneralNames } from './general-name.ts';
import { type CertificateExtensions, decodeKnownExtensions } from './known-extensions.ts';
import type { Name } from './name.ts';

/** Octets of a serial number, as for certificates. */
const MAX_SERIAL_BYTES = 64;

/** IssuerSerial: names a certificate by who issued it. RFC 5755, 4.1. */
export interface IssuerSerial {
  readonly issuer: readonly GeneralName[];
  /** Contents of the INTEGER. */
  readonly serialBytes: Uint8Array;
}

/** Holder: whom the attributes belong to; at least one of the two ways of naming it. RFC 5755, 4.2.2. */
export interface Holder {
  readonly baseCertificate: IssuerSerial | undefined;
  readonly entityName: readonly GeneralName[] | undefined;
}

/** AttributeCertificate. RFC 5755, 4.1. Nothing here says that it is trusted, valid now, or even signed. */
export interface AttributeCertificate {
  /** The exact DER, without anything that followed it. */
  readonly bytes: Uint8Array;
  /** The exact DER of AttributeCertificateInfo: what the issuer signed. */
  readonly infoBytes: Uint8Array;
  readonly holder: Holder;
  /** RFC 5755, 4.2.3, wants one directory name. */
  readonly issuer: Name;
  readonly serialNumber: bigint;
  readonly serialBytes: Uint8Array;
  readonly validity: Validity;
  readonly attributes: readonly AttributeSet[];
  readonly extensions: CertificateExtensions;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
}

/**
 * One attribute certificate in DER. The arrays in the result are views of the input.
 * @param rules VENDOR_DER for what makers of platforms ship; STRICT_DER when left out.
 * @throws {PkiError} 'der_…' with path and offset, 'certificate_malformed', 'unsupported' for version 1.
 */
export function decodeAttributeCertificate(bytes: Uint8Array, rules: DerRules = STRICT_DER): AttributeCertificate {
  const certificate = openDerSequence(bytes, 'AttributeCertificate', rules);
  const info = certificate.readSequence('acinfo');
  requireVersion2(info);
  const holder = readHolder(info);
  const issuer = readIssuer(info);
  const innerAlgorithm = readAlgorithm(info, 'signature');
  const serial = info.read('serialNumber', TAG.integer);
  if (serial.contents.length > MAX_SERIAL_BYTES) {
    const message = `expected at most ${MAX_SERIAL_BYTES} octets, found ${serial.contents.length}`;
    throw info.error('der_limit', 'serialNumber', message, serial);
  }
  const serialNumber = decodeInteger(serial);
  const validity = readValidity(info);
  const attributes = readAttributeSets(info.readSequence('attributes'));
  // RFC 5755, 4.2.9: not to be used.
  info.readOptional('issuerUniqueID', TAG.bitString);
  const extensions = readOwnExtensions(info);
  info.end();
  const signatureAlgorithm = readAlgorithm(certificate, 'signatureAlgorithm');
  const signature = decodeOctetBits(certificate.read('signatureValue', TAG.bitString));
  certificate.end();
  // As for certificates: the outer field is not signed.
  if (!bytesEqual(innerAlgorithm.element.bytes, signatureAlgorithm.element.bytes)) {
    const message = 'expected the same algorithm as in acinfo.signature';
    throw certificate.error('certificate_malformed', 'signatureAlgorithm', message, signatureAlgorithm.element);
  }
  return {
    bytes: certificate.element.bytes,
    infoBytes: info.element.bytes,
    holder,
    issuer,
    serialNumber,
    serialBytes: serial.contents,
    validity,
    attributes,
    extensions,
    signatureAlgorithm,
    signature,
  };
}

/**
 * Whether the key signed the attribute certificate, and nothing else.
 * @throws {PkiError} 'unsupported' for an algorithm that is not known here.
 */
export function isAttributeCertificateSignedBy(certificate: AttributeCertificate, issuerKey: PublicKey): boolean {
  const scheme = schemeOf(certificate.signatureAlgorithm);
  return isSignatureBy(issuerKey, scheme, certificate.infoBytes, certificate.signature);
}

/** AttCertVersion, v2(1). RFC 5755, 4.2.1. */
function requireVersion2(info: DerReader): void {
  const version = info.readInteger('version');
  if (version !== 1n) throw info.error('unsupported', 'version', `expected version 2, found ${version + 1n}`);
}

function readHolder(info: DerReader): Holder {
  const sequence = info.readSequence('holder');
  const base = sequence.readOptional('baseCertificateID', contextTag(0, 'constructed'));
  const entity = sequence.readOptional('entityName', contextTag(1, 'constructed'));
  // RFC 5755, 4.2.2: one option alone is recommended; a digest of some object names no certificate.
  sequence.readOptional('objectDigestInfo', contextTag(2, 'constructed'));
  sequence.end();
  return {
    baseCertificate: base === undefined ? undefined : readIssuerSerial(sequence.enter(base)),
    entityName: entity === undefined ? undefined : readGeneralNames(sequence.enter(entity)),
  };
}

function readIssuerSerial(sequence: DerReader): IssuerSerial {
  const issuer = readGeneralNames(sequence.readSequence('issuer'));
  const serial = sequence.read('serial', TAG.integer);
  decodeInteger(serial);
  sequence.readOptional('issuerUID', TAG.bitString);
  sequence.end();
  return { issuer, serialBytes: serial.contents };
}

/** AttCertIssuer: the v2Form's issuerName with exactly one directory name. RFC 5755, 4.2.3. */
function readIssuer(info: DerReader): Name {
  const form = info.readSequence('issuer', contextTag(0, 'constructed'));
  const names = readGeneralNames(form.readSequence('issuerName'));
  form.readOptional('baseCertificateID', contextTag(0, 'constructed'));
  form.readOptional('objectDigestInfo', contextTag(1, 'constructed'));
  form.end();
  const [first, ...more] = names;
  if (first?.kind !== 'directory' || more.length > 0) {
    const message = `expected one directory name, found ${names.length} names`;
    throw info.error('certificate_malformed', 'issuer', message, form.element);
  }
  return first.name;
}

/** AttCertValidityPeriod. RFC 5755, 4.2.6. */
function readValidity(info: DerReader): Validity {
  const sequence = info.readSequence('attrCertValidityPeriod');
  const notBeforeMs = decodeTime(sequence.read('notBeforeTime', TAG.generalizedTime));
  const notAfterMs = decodeTime(sequence.read('notAfterTime', TAG.generalizedTime));
  sequence.end();
  return { notBeforeMs, notAfterMs };
}

function readOwnExtensions(info: DerReader): CertificateExtensions {
  if (info.isAtEnd) return decodeKnownExtensions([], info);
  const list = info.readSequence('extensions');
  return decodeKnownExtensions(readExtensions(list), list);
}
