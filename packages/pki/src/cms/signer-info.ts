// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { type AlgorithmIdentifier, readAlgorithm } from '../algorithm.ts';
import type { DerElement } from '../der/element.ts';
import { decodeInteger } from '../der/primitive.ts';
import type { DerReader } from '../der/reader.ts';
import { contextTag, TAG } from '../der/tag.ts';
import { type Name, readName } from '../x509/name.ts';
import { type Attributes, readSignedAttributes, readUnsignedAttributes } from './attribute.ts';

/** SignerIdentifier: how a signer's certificate is found. RFC 5652, 5.3. Untrusted: anyone can write any name here. */
export type SignerIdentifier =
  | {
      readonly kind: 'issuerAndSerial';
      readonly issuer: Name;
      readonly serialNumber: bigint;
      readonly serialBytes: Uint8Array;
    }
  | { readonly kind: 'subjectKeyIdentifier'; readonly keyIdentifier: Uint8Array };

/** SignerInfo. RFC 5652, 5.3. */
export interface SignerInfo {
  readonly element: DerElement;
  readonly signerIdentifier: SignerIdentifier;
  readonly digestAlgorithm: AlgorithmIdentifier;
  readonly signedAttributes: Attributes | undefined;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array;
  /** Where time stamps and second signatures are; whoever passes the message on can change them. */
  readonly unsignedAttributes: Attributes | undefined;
}

const SIGNED_ATTRIBUTES = contextTag(0, 'constructed');
const UNSIGNED_ATTRIBUTES = contextTag(1, 'constructed');
const SUBJECT_KEY_IDENTIFIER = contextTag(0, 'primitive');

/** RFC 5652, 5.3: the version says which form the identifier has. */
const VERSION_ISSUER_AND_SERIAL = 1n;
const VERSION_SUBJECT_KEY_IDENTIFIER = 3n;

/** The SignerInfo in an element of signerInfos. */
export function decodeSignerInfo(signers: DerReader, element: DerElement): SignerInfo {
  const info = signers.enterSequence(element);
  const version = info.readInteger('version');
  const signerIdentifier = readSignerIdentifier(info);
  const expected =
    signerIdentifier.kind === 'issuerAndSerial' ? VERSION_ISSUER_AND_SERIAL : VERSION_SUBJECT_KEY_IDENTIFIER;
  if (version !== expected) {
    const message = `expected version ${expected} for ${signerIdentifier.kind}, found ${version}`;
    throw info.error('cms_malformed', 'version', message, element);
  }
  const digestAlgorithm = readAlgorithm(info, 'digestAlgorithm');
  const signedAttributes =
    info.nextTag === SIGNED_ATTRIBUTES ? readSignedAttributes(info, 'signedAttrs', SIGNED_ATTRIBUTES) : undefined;
  const signatureAlgorithm = readAlgorithm(info, 'signatureAlgorithm');
  const signature = info.readOctetString('signature');
  const unsignedAttributes =
    info.nextTag === UNSIGNED_ATTRIBUTES
      ? readUnsignedAttributes(info, 'unsignedAttrs', UNSIGNED_ATTRIBUTES)
      : undefined;
  info.end();
  return {
    element,
    signerIdentifier,
    digestAlgorithm,
    signedAttributes,
    signatureAlgorithm,
    signature,
    unsignedAttributes,
  };
}

function readSignerIdentifier(info: DerReader): SignerIdentifier {
  const keyIdentifier = info.readOptional('sid', SUBJECT_KEY_IDENTIFIER);
  if (keyIdentifier !== undefined) return { kind: 'subjectKeyIdentifier', keyIdentifier: keyIdentifier.contents };
  const sequence = info.readSequence('sid');
  const issuer = readName(sequence, 'issuer');
  const serial = sequence.read('serialNumber', TAG.integer);
  sequence.end();
  return { kind: 'issuerAndSerial', issuer, serialNumber: decodeInteger(serial), serialBytes: serial.contents };
}

/** Characters of a name in a message; the name is as long as its writer likes. */
const MAX_SHOWN = 200;

/** The identifier in words, for messages. */
export function formatSignerIdentifier(identifier: SignerIdentifier): string {
  if (identifier.kind === 'subjectKeyIdentifier')
    return `the key ${toHex(identifier.keyIdentifier).slice(0, MAX_SHOWN)}`;
  return `'${identifier.issuer.text.slice(0, MAX_SHOWN)}' serial ${toHex(identifier.serialBytes).slice(0, MAX_SHOWN)}`;
}
