// SPDX-License-Identifier: Apache-2.0
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
import { type BasicConstraints, KEY_USAGES, type KeyUsage } from './known-extensions.ts';
import { encodeName } from './name.ts';

/** RFC 5280, 4.1.2.2: positive, and at most 20 octets with the sign. */
const MAX_SERIAL = (1n << 159n) - 1n;
/** RFC 7093, 2, method 1. */
const KEY_IDENTIFIER_BYTES = 20;

/** What a self-signed certificate says. Nothing is taken from a clock or at random. */
export interface SelfSignedInput {
  /** The most general attribute first. */
  readonly subject: readonly { readonly oid: string; readonly text: string }[];
  /** Positive, below 2^159. */
  readonly serialNumber: bigint;
  readonly validity: Validity;
  readonly basicConstraints: BasicConstraints;
  readonly keyUsage: readonly KeyUsage[];
  /** Object identifiers. */
  readonly extKeyUsage?: readonly string[];
}

/**
 * A certificate that the key issues for itself, for a signing key that others are told to trust.
 * The same input gives the same bytes when the signer's scheme is deterministic.
 * Version 3; the key identifiers are the first 160 bits of SHA-256 over the public key (RFC 7093, 2, method 1).
 * @throws {PkiError} 'argument_invalid', 'unsupported', 'key_mismatch'.
 */
export async function issueSelfSigned(input: SelfSignedInput, signer: Signer): Promise<Certificate> {
  const { serialNumber, validity } = input;
  if (serialNumber <= 0n || serialNumber > MAX_SERIAL) {
    throw new PkiError('argument_invalid', `expected a serial number from 1 to 2^159-1, found ${serialNumber}`);
  }
  if (validity.notAfterMs < validity.notBeforeMs) {
    throw new PkiError('argument_invalid', 'expected notAfter not to be before notBefore');
  }
  if (input.subject.length === 0) throw new PkiError('argument_invalid', 'expected a subject, as it is the issuer too');
  const algorithm = encodeSignatureAlgorithm(signer.scheme);
  const name = encodeName(input.subject);
  const tbs = encodeSequence(
    encodeElement(contextTag(0, 'constructed'), encodeInteger(2n)),
    encodeInteger(serialNumber),
    algorithm,
    name,
    encodeSequence(encodeTime(validity.notBeforeMs), encodeTime(validity.notAfterMs)),
    name,
    signer.spki,
    encodeElement(contextTag(3, 'constructed'), encodeSequence(...encodeExtensions(input, keyIdentifier(signer.spki)))),
  );
  const signature = await signWith(signer, tbs);
  return decodeCertificate(encodeSequence(tbs, algorithm, encodeBitString(signature)));
}

function encodeExtensions(input: SelfSignedInput, identifier: Uint8Array): Uint8Array[] {
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
  const authority = encodeSequence(encodeElement(contextTag(0, 'primitive'), identifier));
  const extensions = [
    encodeExtension(OID.subjectKeyIdentifier, false, encodeOctetString(identifier)),
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
  return extensions;
}

function keyIdentifier(spki: Uint8Array): Uint8Array {
  const info = openDerSequence(spki, 'SubjectPublicKeyInfo');
  info.read('algorithm', TAG.sequence);
  const keyBits = decodeOctetBits(info.read('subjectPublicKey', TAG.bitString));
  info.end();
  return digest('sha256', keyBits).subarray(0, KEY_IDENTIFIER_BYTES);
}
